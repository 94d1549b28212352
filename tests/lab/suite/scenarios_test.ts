/**
 * The scenarios C01 to C96 on the kernel's own target through three real nexuses, and on the simulated LUN: what differs
 * is listed with its reason, and nothing else does.
 */
import assert from "node:assert/strict";
import type { Nexuses } from "../../../lib/qualify/bench_lun.ts";
import { LIO_DEVIATIONS } from "../../../lib/qualify/deviations.ts";
import { type RunChoices, runScenarios } from "../../../lib/qualify/run.ts";
import { SCENARIOS } from "../../../lib/qualify/scenarios.ts";
import { describeResult, type ScenarioResult } from "../../../lib/qualify/verdict.ts";
import { LIO, type Profile, SPC4 } from "../../../lib/pr/sim/profile.ts";
import { openSgDevice } from "../../../lib/sg/device.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { labTest, lun, run } from "../support.ts";

const KINDS = ["lio", "lio-tcm-loop"];

async function onLio(choices: RunChoices): Promise<ScenarioResult[]> {
  const { A, B, C } = lun().nexuses;
  const open = (node: string) => openSgDevice(node, { writable: true });
  const nexuses: Nexuses = { A: await open(A.sg), B: await open(B.sg), C: await open(C.sg) };
  const reset = async (): Promise<void> => {
    assert.equal((await run(["sg_reset", "--device", A.sg])).code, 0);
  };
  try {
    return await runScenarios(SCENARIOS, nexuses, { ...choices, kinds: KINDS, events: { reset } });
  } finally {
    for (const nexus of Object.values(nexuses)) nexus.close();
  }
}

function onSimulated(profile: Profile): Promise<ScenarioResult[]> {
  const simulated = new MemoryLun({ profile, record: false });
  const nexuses = { A: simulated.nexus("A"), B: simulated.nexus("B"), C: simulated.nexus("C") };
  return runScenarios(SCENARIOS, nexuses, { kinds: KINDS, events: { reset: () => simulated.reset() } });
}

/** What was seen in every step, in the order of the scenarios, without those not played. */
function transcript(results: readonly ScenarioResult[]): Map<string, string[]> {
  const played = results.filter(({ verdict }) => verdict !== "skipped");
  return new Map(played.map(({ scenario, steps }) => [scenario.id, steps.map(({ seen }) => seen)]));
}

labTest("LIO answers the scenarios as the standard wants, or as listed", async () => {
  const results = await onLio({ deviations: LIO_DEVIATIONS });
  const failed = results.filter(({ verdict }) => verdict === "fail");
  assert.equal(failed.map(describeResult).join("\n\n"), "");
});

labTest("LIO and the simulated LUN answer at least 60 scenarios alike; with LIO's profile, all of them", async () => {
  const real = transcript(await onLio({}));
  assert.ok(real.size >= 60, `${real.size} scenarios played`);
  const standard = transcript(await onSimulated(SPC4));
  const same = [...real].filter(([id, seen]) => JSON.stringify(seen) === JSON.stringify(standard.get(id)));
  const differing = [...real.keys()].filter((id) => !same.some(([each]) => each === id));
  assert.deepEqual(differing, [...new Set(LIO_DEVIATIONS.map(({ scenario }) => scenario))]);
  assert.ok(same.length >= 60, `${same.length} scenarios alike`);
  const profiled = transcript(await onSimulated(LIO));
  for (const [id, seen] of real) assert.deepEqual(seen, profiled.get(id), id);
});
