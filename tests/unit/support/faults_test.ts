/** Planned trouble: it comes where it was planned, and the device sees what it should. */
import assert from "node:assert/strict";
import { classify } from "../../../lib/scsi/outcome.ts";
import { prIn, prOut } from "../../../lib/pr/commands.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { type Fault, faulty } from "../../support/faults.ts";

const KINDS: readonly (readonly [Fault, kind: string, executed: boolean])[] = [
  ["unitAttention", "unitAttention", false],
  ["busy", "busy", false],
  ["taskSetFull", "busy", false],
  ["conflict", "conflict", false],
  ["timeoutDone", "unknown", true],
  ["timeoutNotDone", "unknown", false],
  ["garbageSense", "unknown", false],
];
for (const [fault, kind, executed] of KINDS) {
  Deno.test(`faulty(): ${fault} is ${kind}, and the command was ${executed ? "" : "not "}executed`, async () => {
    const lun = new MemoryLun();
    const nexus = faulty(lun.nexus("A"), [{ at: 1, fault }]);
    await prIn(nexus, "readKeys", 8);
    const reply = await prOut(nexus, { action: "register", rk: 0n, sark: 1n, aptpl: false });
    assert.equal(classify(reply).kind, kind);
    assert.equal(lun.model.registrations.length, executed ? 1 : 0);
    assert.deepEqual(nexus.seen.map((each) => each.fault), [null, fault]);
  });
}

Deno.test("faulty(): cut data, a failing call, several in a row, one operation code only", async () => {
  const nexus = faulty(new MemoryLun().nexus("A"), [
    { at: 0, fault: "shortData", opcode: 0x5e },
    { at: 2, fault: "busy", times: 2 },
    { at: 1, fault: "error", opcode: 0x5e },
  ]);
  const ready = (): Promise<number> => nexus.execute(new Uint8Array(6), 0).then(({ status }) => status);
  assert.equal(await ready(), 0);
  assert.equal((await prIn(nexus, "readKeys", 8)).dataIn.length, 4);
  assert.deepEqual([await ready(), await ready(), await ready()], [8, 8, 0]);
  await assert.rejects(prIn(nexus, "readKeys", 8), /injected: sim:memory\?nexus=A is gone/);
  nexus.close();
  await assert.rejects(ready(), /it was closed/);
});
