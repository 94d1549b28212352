import assert from "node:assert/strict";
import { prOut } from "../../../lib/pr/commands.ts";
import { isOwn } from "../../../lib/pr/own.ts";
import { patient } from "../../../lib/pr/patient.ts";
import { readCapabilities, readRegistrations, readState } from "../../../lib/pr/read_state.ts";
import { PROFILES } from "../../../lib/pr/sim/profile.ts";
import { PR_TYPES } from "../../../lib/pr/types.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

const K = 0x123abcn;
const C = 0xc0ffeen;

/** Two registrants; A holds `type`. */
async function scene(type: number): Promise<MemoryLun> {
  const lun = new MemoryLun();
  await prOut(lun.nexus("A"), { action: "register", rk: 0n, sark: K, aptpl: true });
  await prOut(lun.nexus("C"), { action: "register", rk: 0n, sark: C, aptpl: true });
  await prOut(lun.nexus("A"), { action: "reserve", rk: K, type });
  return lun;
}

for (const { type, name, allRegistrants } of PR_TYPES) {
  Deno.test(`readState() of a simulated LUN under ${name}: two commands, the same as readRegistrations() in one`, async () => {
    const lun = await scene(type);
    const [a, sent] = [lun.nexus("A"), lun.history.length];
    const state = await readState(a);
    assert.equal(lun.history.length - sent, 2);
    assert.deepEqual(state.reservation, { key: allRegistrants ? 0n : K, type, scope: 0 });
    assert.deepEqual(
      state.registrations.map(({ key, holder }) => [key, holder]).sort(),
      [[K, true], [C, allRegistrants]].sort(),
    );
    assert.deepEqual(state.registrations.map((r) => isOwn(r, a.initiator, 1)).filter((own) => own).length, 1);
    assert.deepEqual(await readRegistrations(a), state);
    assert.equal(lun.history.length - sent, 3);
    assert.equal((await readCapabilities(a))?.ptplActive, true);
  });
}

Deno.test("readState() through a patient nexus survives being preempted a moment ago", async () => {
  const lun = await scene(5);
  await prOut(lun.nexus("C"), { action: "preempt", rk: C, sark: K, type: 5 });
  await assert.rejects(readState(lun.nexus("A")), { kind: "failed", message: /Registrations preempted/ });
  await prOut(lun.nexus("A"), { action: "register", rk: 0n, sark: K, aptpl: true });
  await prOut(lun.nexus("C"), { action: "preempt", rk: C, sark: K, type: 5 });
  const state = await readState(patient(lun.nexus("A")));
  assert.deepEqual(state.reservation, { key: C, type: 5, scope: 0 });
  assert.deepEqual(state.registrations.map(({ key }) => key), [C]);
});

for (const profile of Object.values(PROFILES)) {
  Deno.test(`readState() of a simulated LUN that behaves like ${profile.name}: same keys, same holder`, async () => {
    const lun = new MemoryLun({ profile });
    const a = patient(lun.nexus("A"));
    await prOut(a, { action: "register", rk: 0n, sark: K, aptpl: false });
    await prOut(lun.nexus("C"), { action: "register", rk: 0n, sark: C, aptpl: false });
    await prOut(a, { action: "reserve", rk: K, type: 5 });
    const state = await readState(a);
    assert.deepEqual(state.reservation, { key: K, type: 5, scope: 0 });
    assert.deepEqual(state.registrations.filter(({ holder }) => holder).map(({ key }) => key), [K]);
    assert.equal(state.registrations.length, 2);
    assert.equal(state.registrations.every(({ transportId }) => transportId !== null), profile.name !== "tgt");
  });
}
