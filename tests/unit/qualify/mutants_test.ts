/** A simulated LUN broken on purpose: the scenarios fail, each time. */
import assert from "node:assert/strict";
import { conclude } from "../../../lib/qualify/conclusion.ts";
import { playScenarios } from "../../../lib/qualify/run.ts";
import { SCENARIOS } from "../../../lib/qualify/scenarios.ts";
import { MutantLun, MUTANTS } from "../../support/mutants.ts";

for (const mutant of Object.keys(MUTANTS)) {
  Deno.test(`the suite notices: ${mutant}`, async () => {
    const lun = new MutantLun(mutant);
    const nexuses = { A: lun.nexus("A"), B: lun.nexus("B"), C: lun.nexus("C") };
    const { results, lun: bench } = await playScenarios(SCENARIOS, nexuses);
    const failed = results.filter(({ verdict }) => verdict === "fail");
    assert.ok(failed.length > 0);
    const { fitness, obstacles, limits } = conclude(results, bench);
    assert.notEqual(fitness, "fit");
    assert.ok(obstacles.length + limits.length > 0);
  });
}

Deno.test("there are at least ten mutants", () => {
  assert.ok(Object.keys(MUTANTS).length >= 10);
});
