/**
 * What came of scenarios: step by step what was wanted and what was seen, and a verdict in a word. Pure.
 *
 * @module
 */
import type { Scenario } from "./scenario.ts";

/** One step, played. */
export interface StepResult {
  /** From 1. */
  readonly number: number;
  /** "B: PREEMPT RK=K2 SARK=K1 type 5". */
  readonly what: string;
  /** What must be seen. */
  readonly wanted: string;
  /** What was seen. */
  readonly seen: string;
  /** Seen as wanted. */
  readonly ok: boolean;
}

/** One way in which a kind of target is known to differ in one step of one scenario. */
export interface Deviation {
  /** Identifier of the scenario. */
  readonly scenario: string;
  /** Number of the step, from 1. */
  readonly step: number;
  /** What is seen instead of what is wanted. */
  readonly seen: string;
  /** Why the target does so. */
  readonly reason: string;
  /** Versions of the target differ: the step may also be as wanted. */
  readonly sometimes: boolean;
}

/** A scenario's end. */
export interface ScenarioResult {
  /** The scenario played, or not. */
  readonly scenario: Scenario;
  /**
   * `pass`: all as wanted; `deviates`: different exactly as listed; `fail`: different otherwise, or as it should be
   * where a deviation is listed; `skipped`: not played, for `reason`.
   */
  readonly verdict: "pass" | "deviates" | "fail" | "skipped";
  /** Every step played. */
  readonly steps: readonly StepResult[];
  /** Of a skip: why; of a deviation: its reasons; of a failure that is no difference: what happened. */
  readonly reason: string | null;
  /** Of a skip: whether something is missing here, or in the target. */
  readonly lacking?: "setup" | "target";
}

/** Judges the steps of a scenario that was played to its end, given what is known of the target. */
export function judge(
  scenario: Scenario,
  steps: readonly StepResult[],
  deviations: readonly Deviation[],
): ScenarioResult {
  const listed = deviations.filter((each) => each.scenario === scenario.id);
  const different = steps.filter(({ ok }) => !ok);
  if (different.length === 0 && listed.every(({ sometimes }) => sometimes)) {
    return { scenario, verdict: "pass", steps, reason: null };
  }
  const matches = ({ number, seen }: StepResult, each: Deviation): boolean =>
    each.step === number && each.seen === seen;
  const met = listed.filter((each) => different.some((step) => matches(step, each)));
  const unmet = listed.filter((each) => !each.sometimes && !met.includes(each));
  if (unmet.length > 0 || !different.every((step) => met.some((each) => matches(step, each)))) {
    const reason = unmet.map(({ step, seen }) => `step ${step} is listed to be "${seen}", and was not`).join("; ");
    return { scenario, verdict: "fail", steps, reason: reason === "" ? null : reason };
  }
  const reasons = [...new Set(met.map(({ reason }) => reason))].join("; ");
  return { scenario, verdict: "deviates", steps, reason: reasons };
}

/** A result in lines: its verdict, and for a failure every step, those that differ with what was wanted. */
export function describeResult({ scenario, verdict, steps, reason }: ScenarioResult): string {
  const head = `${scenario.id} ${scenario.title}: ${verdict}${reason === null ? "" : ` (${reason})`}`;
  if (verdict === "pass" || verdict === "skipped") return head;
  const lines = steps.map(({ number, what, wanted, seen, ok }) =>
    ok ? `    ${number} ${what}: ${seen}` : `  ! ${number} ${what}: ${seen}\n      wanted: ${wanted}`
  );
  return [head, ...lines].join("\n");
}
