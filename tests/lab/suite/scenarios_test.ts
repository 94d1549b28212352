/**
 * The scenarios C01 to C99 on the kernel's own target through three real nexuses, and on the simulated LUN: what differs
 * is listed with its reason, and nothing else does.
 */
import assert from "node:assert/strict";
import { LIO_DEVIATIONS, LIO_NAMED_NEXUS } from "../../../lib/qualify/deviations.ts";
import { runScenarios } from "../../../lib/qualify/run.ts";
import { SCENARIOS } from "../../../lib/qualify/scenarios.ts";
import { describeResult } from "../../../lib/qualify/verdict.ts";
import { LIO, SPC4 } from "../../../lib/pr/sim/profile.ts";
import { allowUnmap } from "../init/luns.ts";
import { type Nodes, onSimulated, onTarget, transcript, withNexuses } from "../playing.ts";
import { drainAttentions, labTest, lun, resetLun, run } from "../support.ts";

const CHOICES = { kinds: ["lio", "lio-tcm-loop"] };

/** Of LUN 0, which is then every initiator's newest (see LIO_NAMED_NEXUS), or of another. */
async function nodes(number = 0): Promise<Nodes> {
  const { A, B, C } = (number === 0 ? await resetLun() : lun(number)).nexuses;
  if (number === 0) allowUnmap(number);
  return { A: A.sg, B: B.sg, C: C.sg };
}

labTest("LIO answers the scenarios as the standard wants, or as listed", async () => {
  const results = await onTarget(await nodes(), { ...CHOICES, deviations: LIO_DEVIATIONS });
  const failed = results.filter(({ verdict }) => verdict === "fail");
  assert.equal(failed.map(describeResult).join("\n\n"), "");
});

labTest("LIO and the simulated LUN answer at least 60 scenarios alike; with LIO's profile, all of them", async () => {
  const real = transcript(await onTarget(await nodes(), CHOICES));
  assert.ok(real.size >= 60, `${real.size} scenarios played`);
  const standard = transcript(await onSimulated(SPC4, CHOICES));
  const same = [...real].filter(([id, seen]) => JSON.stringify(seen) === JSON.stringify(standard.get(id)));
  const differing = [...real.keys()].filter((id) => !same.some(([each]) => each === id));
  const listed = LIO_DEVIATIONS.filter((each) => !LIO_NAMED_NEXUS.includes(each)).map(({ scenario }) => scenario);
  assert.deepEqual(differing.sort(), [...new Set(listed)].sort());
  assert.ok(same.length >= 60, `${same.length} scenarios alike`);
  const profiled = transcript(await onSimulated(LIO, CHOICES));
  for (const [id, seen] of real) assert.deepEqual(seen, profiled.get(id), id);
});

labTest("LIO tells a nexus that was named by its TransportID through the initiator's newest LUN", async () => {
  const newest = await nodes();
  const older = await nodes(1);
  for (const { scenario: id } of LIO_NAMED_NEXUS) {
    await drainAttentions();
    const scenario = SCENARIOS.filter((each) => each.id === id);
    const choices = { ...CHOICES, deviations: LIO_NAMED_NEXUS };
    const results = await withNexuses(older, (nexuses) => runScenarios(scenario, nexuses, choices));
    assert.deepEqual(results.map(({ verdict }) => verdict), ["deviates"], results.map(describeResult).join("\n"));
    const { code, stderr } = await run(["sg_turs", "-v", newest.B]);
    assert.equal(code, 6, `${id}: nothing waited on the newest LUN: ${stderr}`);
  }
});
