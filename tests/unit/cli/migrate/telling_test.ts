import assert from "node:assert/strict";
import { diskNames } from "../../../../lib/cli/migrate/guest_luns.ts";
import { LiveLine } from "../../../../lib/cli/migrate/live_line.ts";
import { progressJson, progressLine } from "../../../../lib/cli/migrate/progress.ts";
import { planText } from "../../../../lib/cli/migrate/result.ts";
import type { MigrationInfo } from "../../../../lib/qmp/qemu.ts";

const MIB = 1 << 20;
const info = (remaining: number): MigrationInfo => ({
  status: "active",
  ram: { totalBytes: 1000 * MIB, remainingBytes: remaining * MIB, transferredBytes: 0, mbps: 940.4 },
  expectedDowntimeMs: 42.3,
  downtimeMs: null,
  errorText: null,
  listensOn: [],
});

Deno.test("progressLine(): percent, what is left, rate, downtime; a bar where there are columns for it", () => {
  assert.equal(progressLine(info(390)), "memory 61 %, 390 MiB left, 940 Mbit/s, downtime about 42 ms");
  for (const columns of [40, 80, 120]) {
    const line = progressLine(info(390), columns);
    assert(line.length < columns, `${line.length} of ${columns}`);
  }
  assert.match(progressLine(info(390), 100), /^memory \[#+-+\] {2}61 %/);
  assert.equal(progressLine({ ...info(0), ram: null }, 80), "memory");
  // QEMU counts pages that were dirtied again: what is left may exceed what there is.
  assert.match(progressLine(info(2000)), /0 %/);
  assert.deepEqual(progressJson(info(390)), {
    phase: "memory",
    status: "active",
    ...info(390).ram,
    expectedDowntimeMs: 42.3,
  });
});

Deno.test("LiveLine rewrites its line, makes room for others, and leaves nothing behind", () => {
  let text = "";
  const live = new LiveLine((part) => text += part);
  live.show("one");
  live.show("one");
  live.above(() => text += "a step\n");
  live.show("two");
  live.end();
  live.end();
  assert.equal(text, "\r\x1b[Kone\r\x1b[Ka step\none\r\x1b[Ktwo\r\x1b[K");
});

Deno.test("diskNames() reads ID=DEV and refuses the rest", () => {
  assert.deepEqual([...diskNames(["d0=/dev/sdb", "d1=sim:x?nexus=A"])], [["d0", "/dev/sdb"], ["d1", "sim:x?nexus=A"]]);
  for (const word of ["d0", "=x", "d0="]) assert.throws(() => diskNames([word]), /does not name a disk/);
});

Deno.test("the plan names what is moved, what is left out and why, and who moves", () => {
  const disk = (qdev: string): { qdev: string; driver: string; device: string; migratePr: undefined } => ({
    qdev,
    driver: "scsi-block",
    device: `/dev/${qdev}`,
    migratePr: undefined,
  });
  const plan = { gate: "paused", why: "because", mover: "prmig", uri: "unix:/m" } as const;
  assert.deepEqual(planText({ ...plan, moved: [disk("a")], skipped: [disk("b")] }), [
    "gate: paused: because",
    "disk: a (/dev/a)",
    "disk: b (/dev/b): nothing of this host is registered with it; left out",
  ]);
  assert.match(planText({ ...plan, moved: [], skipped: [] })[1]!, /none is passed through/);
});
