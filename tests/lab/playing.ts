/**
 * The scenarios (lib/qualify) on a real target and on the simulated LUN, and what was seen of both to be held side by side.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Profile } from "../../lib/pr/sim/profile.ts";
import type { Nexuses } from "../../lib/qualify/bench_lun.ts";
import { type RunChoices, runScenarios } from "../../lib/qualify/run.ts";
import { SCENARIOS } from "../../lib/qualify/scenarios.ts";
import type { ScenarioResult } from "../../lib/qualify/verdict.ts";
import { openSgDevice } from "../../lib/sg/device.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";
import { run } from "./run.ts";

/** Device nodes of three nexuses. */
export type Nodes = Readonly<Record<"A" | "B" | "C", string>>;

/** Opens the nodes of one LUN for whatever uses nexuses, and closes them. */
export async function withNexuses<T>(nodes: Nodes, use: (nexuses: Nexuses) => Promise<T>): Promise<T> {
  const open = (node: string) => openSgDevice(node, { writable: true });
  const nexuses = { A: await open(nodes.A), B: await open(nodes.B), C: await open(nodes.C) };
  try {
    return await use(nexuses);
  } finally {
    for (const nexus of Object.values(nexuses)) nexus.close();
  }
}

/** All scenarios on a real target; a reset of the LUN is done by the kernel. */
export function onTarget(nodes: Nodes, choices: RunChoices): Promise<ScenarioResult[]> {
  const reset = async (): Promise<void> => {
    assert.equal((await run(["sg_reset", "--device", nodes.A])).code, 0);
  };
  return withNexuses(nodes, (nexuses) => runScenarios(SCENARIOS, nexuses, { ...choices, events: { reset } }));
}

/** The same on a simulated LUN. */
export function onSimulated(profile: Profile, choices: RunChoices): Promise<ScenarioResult[]> {
  const simulated = simulatedNexuses(profile);
  return runScenarios(SCENARIOS, simulated, { ...choices, events: { reset: () => simulated.lun.reset() } });
}

/** Three nexuses of a fresh simulated LUN. */
export function simulatedNexuses(profile: Profile): Nexuses & { readonly lun: MemoryLun } {
  const lun = new MemoryLun({ profile, record: false });
  return { A: lun.nexus("A"), B: lun.nexus("B"), C: lun.nexus("C"), lun };
}

/** What was seen in every step, in the order of the scenarios, without those not played. */
export function transcript(results: readonly ScenarioResult[]): Map<string, string[]> {
  const played = results.filter(({ verdict }) => verdict !== "skipped");
  return new Map(played.map(({ scenario, steps }) => [scenario.id, steps.map(({ seen }) => seen)]));
}
