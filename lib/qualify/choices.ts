/**
 * What the runner is told of a target, and why a scenario is not for it. Pure.
 *
 * @module
 */
import type { Nexus } from "../pr/nexus.ts";
import type { BenchLun } from "./bench_lun.ts";
import type { EventStep, Need, Player, Scenario, Trouble } from "./scenario.ts";
import type { Deviation, ScenarioResult } from "./verdict.ts";

/** What the runner is told of the target, and what it can do to it besides sending commands. */
export interface RunChoices {
  /** Known differences of this kind of target. */
  readonly deviations?: readonly Deviation[];
  /** Kinds the target is of: scenarios unsafe on one of them are skipped. */
  readonly kinds?: readonly string[];
  /** Makes things happen; a scenario that needs one not offered is skipped. */
  readonly events?: Partial<Record<EventStep["event"], (of: Player | null) => Promise<void> | void>>;
  /** Puts trouble in the way of the next command of a nexus. */
  readonly trouble?: (nexus: Nexus, trouble: Trouble) => Nexus;
  /** The target is a LIO that cannot write its APTPL file. */
  readonly noAptplFile?: boolean;
  /** The target executes REGISTER AND MOVE; true unless said otherwise. */
  readonly registerAndMove?: boolean;
  /** The target executes PREEMPT AND ABORT; true unless said otherwise. */
  readonly preemptAndAbort?: boolean;
  /** Told after every scenario. */
  readonly onResult?: (result: ScenarioResult) => void;
}

/** Why a scenario is not played on this LUN; `null` when it is. */
export function skipReason(lun: BenchLun, scenario: Scenario, choices: RunChoices): string | null {
  for (const kind of choices.kinds ?? []) {
    const danger = scenario.unsafeOn[kind];
    if (danger !== undefined) return `unsafe on ${kind}: ${danger}`;
  }
  const type = scenario.types.find((each) => !lun.capabilities.types.some((known) => known === each));
  if (type !== undefined) return `the target does not reserve type ${type}`;
  const missing = scenario.needs.find((need) => !isMet(need, lun, choices));
  return missing === undefined ? null : `needs ${missing}`;
}

function isMet(need: Need, { capabilities, ports }: BenchLun, choices: RunChoices): boolean {
  switch (need) {
    case "powerCycle":
    case "reset":
    case "nexusLoss":
    case "loseInformation":
      return choices.events?.[need] !== undefined;
    case "trouble":
      return choices.trouble !== undefined;
    case "readFullStatus":
      return ports !== null;
    case "registerAndMove":
      return choices.registerAndMove ?? true;
    case "preemptAndAbort":
      return choices.preemptAndAbort ?? true;
    case "specIPt":
      return capabilities.specifyInitiatorPorts;
    case "aptpl":
      return capabilities.ptplCapable;
    case "replaceLost":
      return capabilities.replaceLost;
    case "compatibleReservations":
      return capabilities.compatibleReservationHandling;
    case "noAptplFile":
      return choices.noAptplFile ?? false;
  }
}
