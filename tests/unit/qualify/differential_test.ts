/** The differential tester: it finds nothing where there is nothing, and what there is where there is something. */
import assert from "node:assert/strict";
import type { Nexuses } from "../../../lib/qualify/bench_lun.ts";
import { LIO, type Profile, SPC4 } from "../../../lib/pr/sim/profile.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { SEED } from "../../support/cases.ts";
import { sameAnswers } from "../../support/differential.ts";
import { history } from "../../support/differential_plan.ts";

function three(profile: Profile): Nexuses {
  const lun = new MemoryLun({ profile, record: false });
  return { A: lun.nexus("A"), B: lun.nexus("B"), C: lun.nexus("C") };
}

function play(one: Profile, other: Profile, seed = SEED): Promise<void> {
  return sameAnswers({ one: three(one), other: three(other) }, history(seed, 400, () => false), seed);
}

for (const profile of [SPC4, LIO]) {
  Deno.test(`sameAnswers(): two simulated LUNs like ${profile.name} answer alike`, async () => {
    await play(profile, profile);
  });
}

Deno.test("sameAnswers(): tells a difference with the few commands that lead to it", async () => {
  // From SPC-4's rule to LIO's: who unregisters is not counted.
  const other = { ...SPC4, generationCountsUnregister: false };
  await assert.rejects(play(SPC4, other, 7), ({ message }: Error) => {
    const [head, ...trail] = message.split("\n");
    assert.match(head!, /^seed 7: after 2 of 400 steps: the other shows generation 1, /);
    assert.equal(trail.length, 3);
    assert.match(trail[1]!, /REGISTER.* SARK=0 /);
    return true;
  });
});
