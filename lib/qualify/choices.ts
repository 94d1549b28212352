/**
 * What the runner is told of a target, and why a scenario is not for it. Pure.
 *
 * @module
 */
import type { Nexus } from "../pr/nexus.ts";
import type { BenchLun, SomeNexuses } from "./bench_lun.ts";
import { concerns, playersOf } from "./players.ts";
import { PLAYERS } from "./scenario.ts";
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
  /** Stops the playing before the next step; the LUN is tidied up, and the signal's reason thrown. */
  readonly signal?: AbortSignal;
  /** Told before every scenario, skipped or not, and with `null` before tidying up at the end. */
  readonly onScenario?: (scenario: Scenario | null) => void;
  /** Told after every scenario. */
  readonly onResult?: (result: ScenarioResult) => void;
}

/** Why a scenario is not played: for want of something here, or of something in the target. */
export interface Skip {
  /** In words. */
  readonly reason: string;
  /** Whose fault it is, so to say. */
  readonly lacking: "setup" | "target";
}

/** What the place where the scenarios are played can offer, or not; everything else is the target's. */
const OF_THE_SETUP: readonly Need[] = [
  "powerCycle",
  "reset",
  "nexusLoss",
  "loseInformation",
  "trouble",
  "noAptplFile",
];

/** Why a scenario is not played on this LUN; `null` when it is. */
export function skipReason(lun: BenchLun<SomeNexuses>, scenario: Scenario, choices: RunChoices): Skip | null {
  for (const kind of choices.kinds ?? []) {
    const danger = scenario.unsafeOn[kind];
    if (danger !== undefined) return { reason: `unsafe on ${kind}: ${danger}`, lacking: "target" };
  }
  const type = scenario.types.find((each) => !lun.capabilities.types.some((known) => known === each));
  if (type !== undefined) return { reason: `the target does not reserve type ${type}`, lacking: "target" };
  const missing = scenario.needs.find((need) => !isMet(need, lun, choices));
  if (missing !== undefined) {
    return { reason: `needs ${missing}`, lacking: OF_THE_SETUP.includes(missing) ? "setup" : "target" };
  }
  const there = playersOf(lun.nexuses).map(([player]) => player);
  const absent = PLAYERS.find((player) => !there.includes(player) && concerns(scenario, player));
  return absent === undefined ? null : { reason: "needs a third nexus", lacking: "setup" };
}

function isMet(need: Need, { capabilities, ports }: BenchLun<SomeNexuses>, choices: RunChoices): boolean {
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
    case "noCompatibleReservations":
      return !capabilities.compatibleReservationHandling;
    case "noAptplFile":
      return choices.noAptplFile ?? false;
  }
}
