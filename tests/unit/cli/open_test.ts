import assert from "node:assert/strict";
import { openDevice } from "../../../lib/cli/open.ts";
import { EXIT, PrmigError } from "../../../lib/errors.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import { readState } from "../../../lib/pr/read_state.ts";
import { createSimLun } from "../../../lib/sim/open.ts";

const reading = { writable: false, trace: null };

const NONSENSE: readonly (readonly [address: string, kind: "usage" | "device", message: RegExp])[] = [
  ["nonsense", "usage", /"nonsense" is no device address$/],
  ["null", "usage", /did you mean \/dev\/null\?$/],
  ["http://example.net/lun", "usage", /there is no kind of address "http:"/],
  ["sim:", "usage", /nexus=NAME/],
  ["sim:x.json", "usage", /nexus=NAME/],
  ["sim:x.json?nexus=", "usage", /which nexus/],
  ["sim:/nowhere/x.json?nexus=A", "device", /Cannot open/],
  ["/dev/null", "device", /no SCSI/],
  ["/dev/no-such-disk", "device", /no such file/],
  ["./no-such-disk", "device", /no such file/],
  ["/", "device", /directory/],
  [new URL(import.meta.url).pathname, "device", /ordinary file/],
];
for (const [address, kind, message] of NONSENSE) {
  Deno.test(`openDevice() refuses ${address}: ${kind}, exit ${EXIT[kind]}`, async () => {
    await assert.rejects(openDevice(address, reading), (error) => {
      assert.ok(error instanceof PrmigError, String(error));
      assert.equal(error.kind, kind, error.message);
      assert.match(error.message, message);
      assert.notEqual(error.facts.remedy, "");
      return true;
    });
  });
}

/** A simulated LUN on which B has just taken A's registration away, so that A has a unit attention waiting. */
async function withAttention(run: (file: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-open-" });
  try {
    const file = `${directory}/lun.json`;
    await createSimLun(file);
    const a = await openDevice(`sim:${file}?nexus=A`, { writable: true, trace: null });
    const b = await openDevice(`sim:${file}?nexus=B`, { writable: true, trace: null });
    await prOut(a.paths[0]!, { action: "register", rk: 0n, sark: 1n, aptpl: false });
    await prOut(b.paths[0]!, { action: "register", rk: 0n, sark: 2n, aptpl: false });
    await prOut(b.paths[0]!, { action: "preempt", rk: 2n, sark: 1n, type: 5 });
    a.close();
    b.close();
    await run(file);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("openDevice(): unit attentions are waited out, and shown with -v", () =>
  withAttention(async (file) => {
    const lines: string[] = [];
    const device = await openDevice(`sim:${file}?nexus=A`, { writable: false, trace: (line) => lines.push(line) });
    assert.equal((await readState(device.paths[0]!)).registrations.length, 1);
    device.close();
    const heads = lines.map((line) => line.slice(line.indexOf(": ") + 2));
    assert.match(heads[0]!, /^PERSISTENT RESERVE IN, READ FULL STATUS -> .*UNIT ATTENTION/);
    assert.match(heads[1]!, /^UNIT ATTENTION.*: sending PERSISTENT RESERVE IN, READ FULL STATUS again, attempt 2$/);
    assert.match(heads[2]!, /^PERSISTENT RESERVE IN, READ FULL STATUS -> GOOD/);
  }));

Deno.test("openDevice() for reading refuses PERSISTENT RESERVE OUT before it leaves", () =>
  withAttention(async (file) => {
    const device = await openDevice(`sim:${file}?nexus=B`, reading);
    await assert.rejects(prOut(device.paths[0]!, { action: "clear", rk: 2n }), /open for reading only/);
    assert.equal((await readState(device.paths[0]!)).registrations.length, 1);
    device.close();
  }));
