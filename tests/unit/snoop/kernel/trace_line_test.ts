import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../../../lib/bytes.ts";
import { type DispatchLine, parseTraceLine, type ProbeLine } from "../../../../lib/snoop/kernel/trace_line.ts";

const START =
  " sg_persist-150 [000] ..... 13.269972: scsi_dispatch_cmd_start: host_no=1 channel=0 id=1 lun=0 data_sgl=1 prot_sgl=0 prot_op=SCSI_PROT_NORMAL driver_tag=643 scheduler_tag=0 cmnd=(PERSISTENT_RESERVE_OUT - raw=5f 01 05 00 00 00 00 00 18 00)";
const DONE =
  " kworker/0:1-17 [000] ..... 13.271330: scsi_dispatch_cmd_done: host_no=1 channel=0 id=1 lun=0 data_sgl=1 prot_sgl=0 prot_op=SCSI_PROT_NORMAL driver_tag=643 scheduler_tag=0 cmnd=(PERSISTENT_RESERVE_OUT - raw=5f 01 05 00 00 00 00 00 18 00) result=(driver=DRIVER_OK host=DID_OK message=COMMAND_COMPLETE status=SAM_STAT_RESERVATION_CONFLICT)";

function dispatch(line: string): DispatchLine {
  const parsed = parseTraceLine(line);
  assert.ok(["start", "done", "error", "timeout"].includes(parsed.kind), `${parsed.kind}: ${line}`);
  return parsed as DispatchLine;
}

function probe(line: string): ProbeLine {
  const parsed = parseTraceLine(line);
  assert.equal(parsed.kind, "probe", line);
  return parsed as ProbeLine;
}

Deno.test("parseTraceLine() reads a start line: address, tag, CDB, task, microseconds", () => {
  const line = dispatch(START);
  assert.equal(line.kind, "start");
  assert.equal(line.hctl, "1:0:1:0");
  assert.equal(line.tag, 643);
  assert.equal(toHex(line.cdb), "5f010500000000001800");
  assert.deepEqual([line.comm, line.tid, line.tgid, line.atUs], ["sg_persist", 150, null, 13_269_972]);
  assert.deepEqual([line.status, line.host, line.sense], [null, null, null]);
});

Deno.test("parseTraceLine() reads a done line's status and host byte", () => {
  const line = dispatch(DONE);
  assert.equal(line.kind, "done");
  assert.deepEqual([line.comm, line.tid], ["kworker/0:1", 17]);
  assert.deepEqual([line.status, line.host, line.sense], [0x18, "DID_OK", null]);
});

Deno.test("parseTraceLine() reads the sense triple that Linux 6.6 appends", () => {
  const line = dispatch(
    DONE.replace("RESERVATION_CONFLICT)", "CHECK_CONDITION) sense=(key=0x6 asc=0x2a ascq=0x5)"),
  );
  assert.deepEqual([line.status, line.sense], [0x02, { key: 6, asc: 0x2a, ascq: 5 }]);
});

const STATUSES = [
  ["SAM_STAT_GOOD", 0x00],
  ["SAM_STAT_CHECK_CONDITION", 0x02],
  ["SAM_STAT_BUSY", 0x08],
  ["SAM_STAT_RESERVATION_CONFLICT", 0x18],
  ["SAM_STAT_TASK_SET_FULL", 0x28],
  ["SAM_STAT_TASK_ABORTED", 0x40],
  ["0x7f", 0x7f],
  ["SAM_STAT_OF_THE_FUTURE", null],
] as const;
for (const [name, status] of STATUSES) {
  Deno.test(`parseTraceLine() takes status=${name} as ${status}`, () => {
    assert.equal(dispatch(DONE.replace("SAM_STAT_RESERVATION_CONFLICT", name)).status, status);
  });
}

Deno.test("parseTraceLine() needs neither tags nor the order of fields", () => {
  const line = dispatch(
    " x-1 [003] 5.000001: scsi_dispatch_cmd_start: lun=4294967295 id=7 channel=2 host_no=12 cmnd=(PERSISTENT_RESERVE_OUT - raw=5f 00 00 00 00 00 00 00 18 00)",
  );
  assert.deepEqual([line.hctl, line.tag], ["12:2:7:4294967295", null]);
});

Deno.test("parseTraceLine() reads the tgid column, and its absence", () => {
  const rest = START.slice(START.indexOf("[000]"));
  assert.equal(dispatch(`qemu-system-x86-160     (    156) ${rest}`).tgid, 156);
  assert.equal(dispatch(`qemu-system-x86-160     (-------) ${rest}`).tgid, null);
});

Deno.test("parseTraceLine() takes a comm of 16 columns for what it is, whatever it is called", () => {
  const rest = `-4242   (   4242) ${START.slice(START.indexOf("[000]"))}`;
  for (const comm of ["a-1 [0] x 1.000", "-9 ", "my tool: x", "((sd-pam))", "  two  blanks"]) {
    const line = dispatch(comm.padStart(16) + rest);
    assert.deepEqual([line.comm, line.tid], [comm.trimStart(), 4242]);
  }
});

const SD_IOCTL =
  "      sg_persist-147     [001] .....    12.771836: sd_ioctl: (sd_ioctl+0x0/0x1a0 [sd_mod]) cmd=0x2285 iid=83 clen=10 iov=0 dlen=24 op=95 c0=0x5f c8=0x18 rk=0x0 sk=0x1002222aaaa1111 d16=0x0";

Deno.test("parseTraceLine() reads the words of a probe line by name", () => {
  const line = probe(SD_IOCTL);
  assert.equal(line.probe, "sd_ioctl");
  assert.equal(line.words.get("cmd"), 0x2285n);
  assert.equal(line.words.get("sk"), 0x1002222aaaa1111n);
  assert.equal(line.words.get("iid"), 83n);
  assert.equal(line.words.get("dev"), undefined);
});

Deno.test("parseTraceLine() leaves out a word that could not be fetched", () => {
  const line = probe(SD_IOCTL.replace("sk=0x1002222aaaa1111", "sk=(fault)"));
  assert.equal(line.words.has("sk"), false);
  assert.equal(line.words.get("d16"), 0n);
});

Deno.test("parseTraceLine() reads lost events, counted or not, and marker lines", () => {
  assert.deepEqual(parseTraceLine("CPU:0 [LOST 216 EVENTS]"), { kind: "lost", cpu: 0, events: 216 });
  assert.deepEqual(parseTraceLine("CPU:11 [LOST EVENTS]"), { kind: "lost", cpu: 11, events: null });
  assert.deepEqual(parseTraceLine("            sh-9       [000] .....     7.000001: tracing_mark_write: wake up"), {
    kind: "marker",
    atUs: 7_000_001,
    text: "wake up",
  });
});

Deno.test("parseTraceLine() gives `other` for what is nothing of ours", () => {
  const lines = ["", "#", "x".repeat(10_000), "sg_persist-", "-1 [000] 1.2: x: y", DONE.replace("raw=5f", "raw=5")];
  for (const line of lines) assert.equal(parseTraceLine(line).kind, "other", line.slice(0, 80));
  assert.equal(parseTraceLine(START.replace("id=1 ", "")).kind, "other");
});

Deno.test("parseTraceLine() never throws, whatever the line", () => {
  const samples = [START, DONE, SD_IOCTL, "CPU:0 [LOST 216 EVENTS]"];
  const damaged = fc.tuple(fc.constantFrom(...samples), fc.nat(300), fc.nat(40), fc.string({ unit: "binary" })).map(
    ([line, at, size, junk]) => line.slice(0, at) + junk + line.slice(at + size),
  );
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string({ unit: "binary", maxLength: 400 })), (line) => {
      const parsed = parseTraceLine(line);
      if ("cdb" in parsed) assert.ok(parsed.cdb.length >= 1);
      if ("atUs" in parsed) assert.ok(Number.isSafeInteger(parsed.atUs));
    }),
    { numRuns: 1_500 },
  );
});
