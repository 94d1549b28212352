/** Plays the scenarios on the simulated LUN, as the standard has it and as known targets do. */
import assert from "node:assert/strict";
import type { Nexuses } from "../../../lib/qualify/bench_lun.ts";
import { type RunChoices, runScenarios } from "../../../lib/qualify/run.ts";
import type { Player, Trouble } from "../../../lib/qualify/scenario.ts";
import { SCENARIOS } from "../../../lib/qualify/scenarios.ts";
import { describeResult, type ScenarioResult } from "../../../lib/qualify/verdict.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { SPC4 } from "../../../lib/pr/sim/profile.ts";
import { faulty } from "../../support/faults.ts";

function nexusesOf(lun: MemoryLun): Nexuses {
  return { A: lun.nexus("A"), B: lun.nexus("B"), C: lun.nexus("C") };
}

function simulated(lun: MemoryLun): RunChoices {
  return {
    events: {
      powerCycle: () => lun.powerCycle(),
      reset: () => lun.reset(),
      nexusLoss: (of: Player | null) => lun.nexusLoss(of ?? "A"),
      loseInformation: () => lun.loseInformation(),
    },
    trouble: (nexus: Nexus, trouble: Trouble) => faulty(nexus, [{ at: 0, fault: trouble }]),
  };
}

function failures(results: readonly ScenarioResult[]): string {
  return results.filter(({ verdict }) => verdict === "fail").map(describeResult).join("\n\n");
}

Deno.test("SCENARIOS: the simulated LUN answers every one as the standard wants", async () => {
  const lun = new MemoryLun({ profile: SPC4, record: false });
  const results = await runScenarios(SCENARIOS, nexusesOf(lun), simulated(lun));
  assert.equal(failures(results), "");
});
