import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../../../lib/bytes.ts";
import { Correlator, type KernelCommand, type KernelRecord } from "../../../../lib/snoop/kernel/correlate.ts";
import { commandEvent } from "../../../../lib/snoop/kernel/to_event.ts";
import { parseTraceLine } from "../../../../lib/snoop/kernel/trace_line.ts";
import { cdbOf, dispatchText, ioctlText, probeText, result } from "./trace_text.ts";

const REGISTER = cdbOf(0), RESERVE = cdbOf(1, 5), PREEMPT = cdbOf(4, 5), CLEAR = cdbOf(3);
const K1 = 0x1111aaaa22220001n, K2 = 0x3333bbbb44440002n;

function feed(correlator: Correlator, ...lines: string[]): KernelRecord[] {
  return correlator.take(lines.map(parseTraceLine));
}

function only(records: readonly KernelRecord[]): KernelCommand {
  assert.equal(records.length, 1, JSON.stringify(records.map((r) => r.kind)));
  const record = records[0]!;
  assert.equal(record.kind, "command");
  return record as KernelCommand;
}

Deno.test("Correlator joins probe, start and done of one command: the lines captured on 6.1", () => {
  const records = feed(
    new Correlator(),
    "      sg_persist-147     [001] .....    12.771836: sd_ioctl: (sd_ioctl+0x0/0x1a0 [sd_mod]) cmd=0x2285 iid=83 clen=10 iov=0 dlen=24 op=95 c0=0x5f c8=0x18 rk=0x0 sk=0x1002222aaaa1111 d16=0x0",
    "      sg_persist-147     [001] .....    12.774783: scsi_dispatch_cmd_start: host_no=0 channel=0 id=1 lun=0 data_sgl=1 prot_sgl=0 prot_op=SCSI_PROT_NORMAL driver_tag=576 scheduler_tag=0 cmnd=(PERSISTENT_RESERVE_OUT - raw=5f 00 00 00 00 00 00 00 18 00)",
    "     kworker/1:1-29      [001] .....    12.782203: scsi_dispatch_cmd_done: host_no=0 channel=0 id=1 lun=0 data_sgl=1 prot_sgl=0 prot_op=SCSI_PROT_NORMAL driver_tag=576 scheduler_tag=0 cmnd=(PERSISTENT_RESERVE_OUT - raw=5f 00 00 00 00 00 00 00 18 00) result=(driver=DRIVER_OK host=DID_OK message=COMMAND_COMPLETE status=SAM_STAT_GOOD)",
  );
  const command = only(records);
  assert.deepEqual([command.keys?.rk, command.keys?.sark], [0n, K1]);
  assert.deepEqual([command.hctl, toHex(command.cdb), command.status], ["0:0:1:0", "5f000000000000001800", 0]);
  assert.deepEqual([command.task?.comm, command.task?.tid], ["sg_persist", 147]);
  assert.deepEqual([command.startedUs, command.atUs, command.end], [12_774_783, 12_782_203, "done"]);
});

Deno.test("Correlator reads keys byte by byte: words are little-endian without leading zeros", () => {
  const command = only(feed(
    new Correlator(),
    " sg_persist-151 [000] ..... 13.405151: sd_ioctl: (sd_ioctl+0x0/0x1a0 [sd_mod]) cmd=0x2285 iid=83 clen=10 iov=0 dlen=24 op=95 c0=0x5045f c8=0x18 rk=0x2004444bbbb3333 sk=0x1002222aaaa1111 d16=0x100000000",
    dispatchText("start", { tid: 151, at: 13_405_500 }, PREEMPT),
    dispatchText("done", { tid: 9, at: 13_406_000 }, PREEMPT, {}, result("RESERVATION_CONFLICT")),
  ));
  assert.deepEqual([command.keys?.rk, command.keys?.sark, command.status], [K2, K1, 0x18]);
  assert.equal(toHex(command.keys!.tail!), "0000000001000000");
});

Deno.test("Correlator takes the keys of PR ioctls as they are, and the SCSI type from the CDB", () => {
  const correlator = new Correlator();
  const lines = [
    ["pr_reg", "rk=0x0 sk=0xaa00000000000001 flags=0x0", REGISTER],
    ["pr_res", "rk=0xaa00000000000001 type=3", RESERVE],
    ["pr_pre", "rk=0xaa00000000000001 sk=0xbb type=3 abort=0", PREEMPT],
    ["pr_rel", "rk=0xaa00000000000001 type=3", cdbOf(2, 5)],
    ["pr_clr", "rk=0xaa00000000000001", CLEAR],
  ] as const;
  const seen = lines.map(([probe, words, cdb], i) =>
    only(feed(
      correlator,
      ioctlText({ tid: 164, at: i * 1000 + 100 }, probe, words),
      dispatchText("start", { tid: 164, at: i * 1000 + 200 }, cdb),
      dispatchText("done", { tid: 3, at: i * 1000 + 300 }, cdb, {}, result()),
    ))
  );
  assert.deepEqual(seen.map(({ keys }) => [keys?.rk, keys?.sark]), [
    [0n, 0xaa00000000000001n],
    [0xaa00000000000001n, null],
    [0xaa00000000000001n, 0xbbn],
    [0xaa00000000000001n, null],
    [0xaa00000000000001n, null],
  ]);
  assert.equal(correlator.kept, 0);
});

Deno.test("Correlator keeps a PR ioctl's keys for the kernel's own repeat after a unit attention", () => {
  const correlator = new Correlator();
  feed(correlator, ioctlText({ tid: 164, at: 100 }, "pr_reg", "rk=0x0 sk=0x1 flags=0x0"));
  const first = only(feed(
    correlator,
    dispatchText("start", { tid: 164, at: 200 }, REGISTER),
    dispatchText("done", { tid: 3, at: 300 }, REGISTER, {}, result("CHECK_CONDITION")),
  ));
  const second = only(feed(
    correlator,
    dispatchText("start", { tid: 164, at: 400 }, REGISTER),
    dispatchText("done", { tid: 3, at: 500 }, REGISTER, {}, result()),
  ));
  assert.deepEqual([first.keys?.sark, first.status, second.keys?.sark, second.status], [1n, 2, 1n, 0]);
  const stranger = only(feed(
    correlator,
    dispatchText("start", { tid: 9, at: 600 }, REGISTER),
    dispatchText("done", { tid: 3, at: 700 }, REGISTER, {}, result()),
  ));
  assert.equal(stranger.keys, null, "a finished ioctl lends its keys to nobody");
});

Deno.test("Correlator believes no keys when the CDB words differ from what was dispatched", () => {
  const command = only(feed(
    new Correlator(),
    probeText({ at: 100 }, RESERVE, K1, 0n),
    dispatchText("start", { at: 200 }, REGISTER),
    dispatchText("done", { at: 300, tid: 1 }, REGISTER, {}, result()),
  ));
  assert.equal(command.keys, null);
  assert.equal(command.task?.comm, "sg_persist");
});

const UNKNOWN_KEYS = [
  ["scattered data", { iov: 2 }],
  ["a list too short for two keys", { dlen: 15 }],
] as const;
for (const [why, extras] of UNKNOWN_KEYS) {
  Deno.test(`Correlator says that keys are unknown: ${why}`, () => {
    const command = only(feed(
      new Correlator(),
      probeText({ at: 100 }, REGISTER, K1, K2, extras),
      dispatchText("start", { at: 200 }, REGISTER),
      dispatchText("done", { at: 300 }, REGISTER, {}, result()),
    ));
    assert.deepEqual([command.keys, command.status], [null, 0]);
  });
}

Deno.test("Correlator takes a start on another thread only when one submission can have become it", () => {
  const worker = { comm: "kworker/0:1H", tid: 77 };
  const one = only(feed(
    new Correlator(),
    probeText({ tid: 150, at: 100 }, REGISTER, 0n, K1),
    dispatchText("start", { ...worker, at: 200 }, REGISTER),
    dispatchText("done", { ...worker, at: 300 }, REGISTER, {}, result()),
  ));
  assert.deepEqual([one.keys?.sark, one.task?.comm], [K1, "sg_persist"]);
  const two = only(feed(
    new Correlator(),
    probeText({ tid: 150, at: 100 }, REGISTER, 0n, K1),
    probeText({ tid: 151, at: 110 }, REGISTER, 0n, K2),
    dispatchText("start", { ...worker, at: 200 }, REGISTER),
    dispatchText("done", { ...worker, at: 300 }, REGISTER, {}, result()),
  ));
  assert.equal(two.keys, null);
  const old = only(feed(
    new Correlator(),
    probeText({ tid: 150, at: 100 }, REGISTER, 0n, K1),
    dispatchText("start", { ...worker, at: 1_500_000 }, REGISTER),
    dispatchText("done", { ...worker, at: 1_500_100 }, REGISTER, {}, result()),
  ));
  assert.equal(old.keys, null);
});

Deno.test("Correlator tells two devices apart by their numbers", () => {
  const numbers: Record<string, Set<number>> = { "0:0:1:0": new Set([0x800000]), "1:0:1:0": new Set([0x800010]) };
  const correlator = new Correlator((hctl) => numbers[hctl]);
  const commands = feed(
    correlator,
    probeText({ tid: 150, at: 100 }, REGISTER, 0n, K1, { dev: 0x800000 }),
    probeText({ tid: 151, at: 110 }, REGISTER, 0n, K2, { dev: 0x800010 }),
    dispatchText("start", { tid: 77, at: 200 }, REGISTER, { hctl: "1:0:1:0", tag: 1 }),
    dispatchText("start", { tid: 77, at: 210 }, REGISTER, { hctl: "0:0:1:0", tag: 2 }),
    dispatchText("done", { tid: 77, at: 300 }, REGISTER, { hctl: "1:0:1:0", tag: 1 }, result()),
    dispatchText("done", { tid: 77, at: 310 }, REGISTER, { hctl: "0:0:1:0", tag: 2 }, result()),
  ) as KernelCommand[];
  assert.deepEqual(commands.map(({ hctl, keys }) => [hctl, keys?.sark]), [["1:0:1:0", K2], ["0:0:1:0", K1]]);
});

Deno.test("Correlator carries the keys over a refusal by the driver, even under another tag", () => {
  const correlator = new Correlator();
  const records = feed(
    correlator,
    probeText({ at: 100 }, REGISTER, 0n, K1),
    dispatchText("start", { at: 200 }, REGISTER, { tag: 1 }),
    dispatchText("error", { at: 250 }, REGISTER, { tag: 1 }, " rtn=SCSI_MLQUEUE_DEVICE_BUSY"),
    dispatchText("start", { at: 300, tid: 77, comm: "kworker/0:1H" }, REGISTER, { tag: 2 }),
    dispatchText("done", { at: 400, tid: 77 }, REGISTER, { tag: 2 }, result()),
  );
  assert.deepEqual([only(records).keys?.sark, only(records).task?.comm, correlator.kept], [K1, "sg_persist", 0]);
});

Deno.test("Correlator carries the keys over the mid-layer's repeat after BUSY, and reports both answers", () => {
  const records = feed(
    new Correlator(),
    probeText({ at: 100 }, REGISTER, 0n, K1),
    dispatchText("start", { at: 200 }, REGISTER),
    dispatchText("done", { at: 250 }, REGISTER, {}, result("BUSY")),
    dispatchText("start", { at: 300, tid: 77 }, REGISTER, { tag: 2 }),
    dispatchText("done", { at: 400, tid: 77 }, REGISTER, { tag: 2 }, result()),
  ) as KernelCommand[];
  assert.deepEqual(records.map(({ status, keys }) => [status, keys?.sark]), [[8, K1], [0, K1]]);
});

Deno.test("Correlator reports a timeout at once, and a late answer as late", () => {
  const records = feed(
    new Correlator(),
    probeText({ at: 100 }, cdbOf(5, 5), K1, K2),
    dispatchText("start", { at: 200 }, cdbOf(5, 5)),
    dispatchText("timeout", { at: 900 }, cdbOf(5, 5), {}, result("GOOD", "DID_TIME_OUT")),
    dispatchText("done", { at: 1200 }, cdbOf(5, 5), {}, result()),
  ) as KernelCommand[];
  assert.deepEqual(records.map(({ end, late, status, keys }) => [end, late, status, keys?.sark]), [
    ["timeout", false, null, K2],
    ["done", true, 0, K2],
  ]);
});

Deno.test("Correlator reports a command of which it saw only the end", () => {
  const command = only(feed(new Correlator(), dispatchText("done", { at: 300 }, CLEAR, {}, result())));
  assert.deepEqual([command.keys, command.task, command.startedUs, command.status], [null, null, null, 0]);
});

Deno.test("Correlator tells a conflict or check of another command as a hint, and passes over its success", () => {
  const read = " x-1 [0] 5.000001: scsi_dispatch_cmd_done: host_no=0 channel=0 id=1 lun=0 driver_tag=1 " +
    "cmnd=(WRITE_10 lba=0 txlen=1 protect=0 raw=2a 00 00 00 00 00 00 00 01 00)";
  const records = feed(new Correlator(), read + result("RESERVATION_CONFLICT"), read + result());
  assert.deepEqual(records.map((r) => r.kind === "hint" ? [r.status, r.cdb[0], r.hctl] : r.kind), [
    [0x18, 0x2a, "0:0:1:0"],
  ]);
});

Deno.test("Correlator passes lost events, markers and the self-test through", () => {
  const records = feed(
    new Correlator(),
    probeText({ at: 100 }, cdbOf(0), 0xfeedn, 0n, { clen: 5 }),
    "CPU:1 [LOST 3 EVENTS]",
    "            sh-9       [000] .....     7.000001: tracing_mark_write: hello",
  );
  assert.deepEqual(records.map(({ kind }) => kind), ["selfTest", "lost", "marker"]);
  assert.deepEqual(records[0], { kind: "selfTest", probe: "sd_ioctl", nonce: 0xfeedn, atUs: 100 });
});

Deno.test("Correlator puts the lines of one read in order of their stamps", () => {
  const records = feed(
    new Correlator(),
    dispatchText("done", { at: 300, cpu: 1 }, REGISTER, {}, result()),
    dispatchText("start", { at: 200 }, REGISTER),
    probeText({ at: 100 }, REGISTER, 0n, K1),
  );
  assert.equal(only(records).keys?.sark, K1);
});

Deno.test("Correlator forgets submissions that were refused before dispatch", () => {
  const correlator = new Correlator();
  feed(correlator, probeText({ tid: 1, at: 100 }, REGISTER, 0n, K1));
  feed(correlator, probeText({ tid: 2, at: 6_000_000 }, REGISTER, 0n, K2));
  assert.equal(correlator.kept, 1);
});

Deno.test("Correlator sorts out 2,000 commands of eight threads, each with its own keys", () => {
  const correlator = new Correlator();
  const lines: string[] = [];
  for (let round = 0; round < 250; round++) {
    const at = round * 1000;
    for (let t = 0; t < 8; t++) {
      lines.push(probeText({ tid: 100 + t, at: at + t }, REGISTER, 0n, BigInt(round * 8 + t)));
    }
    for (let t = 0; t < 8; t++) {
      lines.push(dispatchText("start", { tid: 100 + t, at: at + 100 + t }, REGISTER, { tag: t }));
    }
    for (let t = 0; t < 8; t++) {
      lines.push(dispatchText("done", { tid: 7, at: at + 200 + t }, REGISTER, { tag: t }, result()));
    }
  }
  const commands = feed(correlator, ...lines) as KernelCommand[];
  assert.deepEqual(commands.map(({ keys }) => Number(keys?.sark)), Array.from({ length: 2000 }, (_, i) => i));
  assert.equal(correlator.kept, 0);
});

Deno.test("Correlator keeps bounded, whatever the lines", () => {
  const kinds = ["start", "done", "error", "timeout"] as const;
  const line = fc.oneof(
    fc.record({
      kind: fc.constantFrom(...kinds),
      tid: fc.nat(9),
      at: fc.nat(40_000_000),
      sa: fc.nat(9),
      tag: fc.nat(3),
    })
      .map(({ kind, tid, at, sa, tag }) => dispatchText(kind, { tid, at }, cdbOf(sa), { tag }, result())),
    fc.record({ tid: fc.nat(9), at: fc.nat(40_000_000), sa: fc.nat(9), sk: fc.bigInt(0n, 0xffffn) })
      .map(({ tid, at, sa, sk }) => probeText({ tid, at }, cdbOf(sa), 0n, sk)),
    fc.string({ maxLength: 60 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 200 }), (lines) => {
      const correlator = new Correlator();
      const done = lines.filter((l) => l.includes("cmd_done:") || l.includes("cmd_timeout:")).length;
      const records = lines.flatMap((l) => feed(correlator, l));
      assert.equal(records.filter(({ kind }) => kind === "command").length, done, "each end exactly once");
    }),
    { numRuns: 60 },
  );
  const correlator = new Correlator();
  for (let i = 0; i < 5_000; i++) {
    const from = { tid: 1000 + i, at: 1000 + i };
    feed(
      correlator,
      probeText(from, REGISTER, 0n, 1n, { probe: "sg_write" }),
      dispatchText("start", { ...from, tid: 1 }, CLEAR, { tag: i }),
      dispatchText("error", { ...from, tid: 1 }, RESERVE, { tag: i }),
    );
  }
  assert.ok(correlator.kept <= 3 * 1024, `${correlator.kept} kept`);
});

Deno.test("Correlator takes the sender's name from either line; where the kernel has forgotten it, events have none", () => {
  const forgotten = { tid: 150, comm: "<...>" };
  const command = (probe: string, start: string): KernelCommand =>
    only(feed(
      new Correlator(),
      probeText({ ...forgotten, comm: probe, at: 100 }, REGISTER, 0n, K1),
      dispatchText("start", { ...forgotten, comm: start, at: 200 }, REGISTER),
      dispatchText("done", { at: 300 }, REGISTER, {}, result()),
    ));
  assert.equal(command("<...>", "sg_persist").task?.comm, "sg_persist");
  assert.equal(command("sg_persist", "<...>").task?.comm, "sg_persist");
  const path = { hctl: "0:0:1:0", device: "/dev/sda", lun: null, block: null, sg: null, devno: null };
  const { pid, program } = commandEvent(command("<...>", "<...>"), path, (us) => us);
  assert.deepEqual([pid, program], [150, undefined]);
});
