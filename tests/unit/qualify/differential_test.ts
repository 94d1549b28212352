/** The differential tester: it finds nothing where there is nothing, and what there is where there is something. */
import assert from "node:assert/strict";
import type { Nexuses } from "../../../lib/qualify/bench_lun.ts";
import { LIO, type Profile, SPC4 } from "../../../lib/pr/sim/profile.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { SEED } from "../../support/cases.ts";
import { sameAnswers } from "../../support/differential.ts";

function three(profile: Profile): Nexuses {
  const lun = new MemoryLun({ profile, record: false });
  return { A: lun.nexus("A"), B: lun.nexus("B"), C: lun.nexus("C") };
}

const everything = { steps: 400, seed: SEED, forbid: () => false };

for (const profile of [SPC4, LIO]) {
  Deno.test(`sameAnswers(): two simulated LUNs like ${profile.name} answer alike`, async () => {
    await sameAnswers(three(profile), three(profile), everything);
  });
}

Deno.test("sameAnswers(): tells a difference with the commands that led to it", async () => {
  await assert.rejects(sameAnswers(three(SPC4), three(LIO), everything), /seed \d+, step \d+: the other answers /);
});
