/**
 * From results to a verdict: fit, fit with limits, unfit; every limit named, with what it means for a migration. Pure.
 *
 *   a needed scenario fails                                   -> unfit
 *   a known deviation, a nice-to-have that fails, another unit attention, another way to count PRGENERATION,
 *   a capability that is not there, a scenario that would harm the target -> a limit
 *   not played for want of something here (a third nexus, a power switch)  -> not run; no judgement
 *
 * @module
 */
import type { BenchLun, SomeNexuses } from "./bench_lun.ts";
import { PR_TYPES } from "../pr/types.ts";
import { stakeOf } from "./stakes.ts";
import type { ScenarioResult, StepResult } from "./verdict.ts";

/** Whether a target is fit for migrations. */
export type Fitness = "fit" | "fit with limits" | "unfit";

/** Something to be known before production. */
export interface Limit {
  /** What is so, as a sentence without its full stop. */
  readonly says: string;
  /** What it means for a migration. */
  readonly means: string;
  /** Scenarios that showed it. */
  readonly scenarios: readonly string[];
}

/** Scenarios that were not played, for one reason. */
export interface NotRun {
  /** Why. */
  readonly reason: string;
  /** Which. */
  readonly scenarios: readonly string[];
}

/** All that follows from the results. */
export interface Conclusion {
  /** In a word. */
  readonly fitness: Fitness;
  /** What makes it unfit. */
  readonly obstacles: readonly Limit[];
  /** What is to be known. */
  readonly limits: readonly Limit[];
  /** What was not played. */
  readonly notRun: readonly NotRun[];
}

/** Concludes. */
export function conclude(results: readonly ScenarioResult[], lun: BenchLun<SomeNexuses>): Conclusion {
  const failed = results.filter(({ verdict }) => verdict === "fail");
  const obstacles = failed.filter(isGrave).map(limitOfFailure);
  const limits = [
    ...capabilityLimits(lun),
    ...failed.filter((result) => !isGrave(result)).map(limitOfFailure),
    ...gathered(results.filter(({ verdict }) => verdict === "deviates"), deviationLimit),
    ...gathered(results.filter(isHarmful), harmLimit),
  ];
  const fitness = obstacles.length > 0 ? "unfit" : limits.length > 0 ? "fit with limits" : "fit";
  return { fitness, obstacles, limits, notRun: notRun(results) };
}

/** Needed, and more than an advice differs: prmig reads the LUN, and does not rely on attentions or on counting. */
function isGrave(result: ScenarioResult): boolean {
  const different = result.steps.filter(({ ok }) => !ok);
  const slight = different.length > 0 && different.every((step) => isSlight(result, step));
  return stakeOf(result.scenario).needed && !slight;
}

/** A unit attention that is missing or another one; PRGENERATION counted otherwise. */
function isSlight({ scenario }: ScenarioResult, { number, wanted, seen }: StepResult): boolean {
  const step = scenario.steps[number - 1];
  if (step?.kind === "command") return step.act.kind === "ordinary" && step.act.name === "testUnitReady";
  const uncounted = (text: string): string => text.replace(/, generation \+\d+/, "");
  return step?.kind === "state" && uncounted(wanted) === uncounted(seen);
}

function isHarmful({ verdict, reason }: ScenarioResult): boolean {
  return verdict === "skipped" && (reason ?? "").startsWith("unsafe on ");
}

function limitOfFailure({ scenario, steps, reason }: ScenarioResult): Limit {
  const first = steps.find(({ ok }) => !ok);
  const how = first === undefined ? reason ?? "" : `${first.what}: ${first.seen} instead of ${first.wanted}`;
  return { says: `${scenario.title}: not so (${how})`, means: stakeOf(scenario).means, scenarios: [scenario.id] };
}

function deviationLimit({ scenario, reason }: ScenarioResult): Limit {
  return {
    says: reason ?? scenario.title,
    means: `known, and a hand-over works with it; for others: ${stakeOf(scenario).means}`,
    scenarios: [scenario.id],
  };
}

function harmLimit({ scenario, reason }: ScenarioResult): Limit {
  return { says: `not tried, ${reason}`, means: "prmig never sends it; nor should anybody", scenarios: [scenario.id] };
}

/** Limits that say the same become one. */
function gathered(results: readonly ScenarioResult[], limitOf: (result: ScenarioResult) => Limit): Limit[] {
  const found = new Map<string, Limit>();
  for (const limit of results.map(limitOf)) {
    const known = found.get(limit.says);
    found.set(limit.says, known ? { ...known, scenarios: [...known.scenarios, ...limit.scenarios] } : limit);
  }
  return [...found.values()];
}

/** What REPORT CAPABILITIES and READ FULL STATUS tell before any scenario. */
function capabilityLimits({ ports, capabilities }: BenchLun<SomeNexuses>): Limit[] {
  const limits: Limit[] = [];
  const missing = PR_TYPES.filter(({ type }) => !capabilities.types.includes(type));
  if (missing.length > 0) {
    limits.push({
      says: `types ${missing.map(({ type }) => type).join(" ")} cannot be reserved`,
      means: "guests that reserve such a type are refused, here as anywhere on this device",
      scenarios: [],
    });
  }
  if (ports === null) {
    limits.push({
      says: "there is no READ FULL STATUS",
      means: "nobody can tell who is behind a key: prmig registers the destination under a one-time key until the end",
      scenarios: [],
    });
  }
  if (!capabilities.ptplCapable) {
    limits.push({
      says: "registrations do not survive a loss of power (no APTPL)",
      means: "after a power loss of the array guests have to register again; a hand-over is not affected",
      scenarios: [],
    });
  }
  return limits;
}

function notRun(results: readonly ScenarioResult[]): NotRun[] {
  const found = new Map<string, string[]>();
  for (const { scenario, verdict, reason } of results) {
    if (verdict === "skipped") found.set(reason ?? "", [...found.get(reason ?? "") ?? [], scenario.id]);
  }
  return [...found].map(([reason, scenarios]) => ({ reason, scenarios }));
}
