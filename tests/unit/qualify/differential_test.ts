/** The differential tester: it finds nothing where there is nothing, and what there is where there is something. */
import assert from "node:assert/strict";
import type { Nexuses } from "../../../lib/qualify/bench_lun.ts";
import { LIO, type Profile, SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { SEED } from "../../support/cases.ts";
import { sameAnswers } from "../../support/differential.ts";
import { history } from "../../support/differential_plan.ts";
import { forbiddenToTgt, TGT_FORGIVEN } from "../../support/differential_tgt.ts";

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

Deno.test("sameAnswers(): two simulated LUNs like tgt answer alike in what is sent to tgt", async () => {
  for (const i of [0, 1]) {
    const pair = { one: three(TGT), other: three(TGT), forgiven: TGT_FORGIVEN };
    await sameAnswers(pair, history(SEED + i, 400, forbiddenToTgt(i)), SEED + i);
  }
});

Deno.test("sameAnswers(): attentions that are forgiven make no difference, others do", async () => {
  const silent = { ...SPC4, releaseAttentionTypes: [], implicitReleaseAttentionTypes: [] };
  const played = (forgiven: readonly string[], other: Profile): Promise<void> =>
    sameAnswers({ one: three(SPC4), other: three(other), forgiven }, history(7, 2000, () => false), 7);
  await assert.rejects(played([], silent), /2A\/04/);
  await assert.rejects(played(["06/2A/04"], { ...SPC4, preemptedAttention: 0x2a03 }), /2A\/05/);
});

Deno.test("history(): neighbouring seeds do not begin alike", () => {
  const first = (seed: number): string => history(seed, 1, () => false).map(({ by, what }) => `${by} ${what}`).join();
  assert.ok(new Set(Array.from({ length: 100 }, (_, i) => first(7 + i))).size > 60);
});
