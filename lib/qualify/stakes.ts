/**
 * What depends on each scenario: whether a migration needs it, and what it means for one where a target fails it. Pure data.
 *
 * @module
 */
import type { Scenario } from "./scenario.ts";

/** What depends on a scenario. */
export interface Stake {
  /** Chapter of the report. */
  readonly area: Area;
  /** `true`: no hand-over can be trusted without it. `false`: nice to have. */
  readonly needed: boolean;
  /** What a failure means for moving a guest's reservation, as a sentence without its full stop. */
  readonly means: string;
}

/** Chapters, in the order of the report. */
export const AREAS = [
  "reading",
  "registering",
  "reserving",
  "access",
  "unregistering",
  "releasing, clearing",
  "preempting",
  "moving, naming others",
  "what lasts",
  "hand-over",
] as const;

/** A chapter. */
export type Area = typeof AREAS[number];

type Row = readonly [area: Area, needed: boolean, means: string, scenarios: string];

const NOT_OURS = "guests and clusters that rely on it are disappointed; prmig does not use it";

const ROWS: readonly Row[] = [
  ["reading", true, "prmig cannot tell who is registered and who holds, and would decide on a wrong picture", "1 2 5"],
  ["reading", false, "a program that asks for too much is not told so plainly", "3"],
  ["reading", true, "what the device says of its types and of power loss cannot be relied on", "4"],
  [
    "registering",
    true,
    "the steps prepare and commit of a hand-over fail, or register something else",
    "7 9 10 11 14 16",
  ],
  ["registering", true, "a hand-over that has to be rolled back cannot register again", "6 12"],
  ["registering", true, "with several hosts or paths under one key prmig cannot count who is there", "15"],
  ["registering", true, "the commit step (REGISTER by the holder with a one-time key) loses the reservation", "88"],
  ["registering", false, "a change may go unnoticed by a reader that compares PRGENERATION; prmig reads all", "8 13"],
  ["reserving", true, "guests cannot hold this type, so there is nothing to hand over", "17"],
  ["reserving", true, "two hosts can hold at once: reservations protect nothing here", "20 24"],
  [
    "reserving",
    false,
    "a guest that repeats a RESERVE, or asks for what is not there, is answered otherwise",
    "18 19 21 22 23 25",
  ],
  [
    "access",
    true,
    "the device does not keep others away from the data, or keeps away those who may",
    "26 27 28 29 30 31 97",
  ],
  [
    "access",
    false,
    "path checkers and multipath may see conflicts, or strangers may flush or stop the unit",
    "84 85 98",
  ],
  [
    "access",
    false,
    "software with RESERVE(6) of old and persistent reservations side by side meets conflicts",
    "86 87 99",
  ],
  [
    "unregistering",
    true,
    "a guest that leaves keeps the LUN, or its leaving takes the LUN from the others",
    "32 33 36",
  ],
  ["unregistering", false, "other guests learn of it when they are next refused, not by a unit attention", "34 35"],
  ["releasing, clearing", true, "somebody who does not hold can end the reservation", "40 43 46"],
  ["releasing, clearing", true, "a guest's RELEASE or CLEAR does not do what it says", "44"],
  [
    "releasing, clearing",
    false,
    "guests are told of a release or a clear otherwise, or with another code",
    "37 38 39 41 42 45",
  ],
  ["preempting", true, "the take step of a hand-over hits the wrong nexus, or nobody", "47 49 52 53 64"],
  ["preempting", true, "fencing by a shared key leaves a member of the group behind", "51 60"],
  ["preempting", false, "a host that was preempted learns of it when it is next refused; prmig reads the LUN", "48"],
  [
    "preempting",
    false,
    "a fencing tool that changes the type, preempts itself or everybody gets another state",
    "50 54 55 56 57 58 59 61 62 63",
  ],
  ["preempting", false, "eviction of a dead host may leave its commands in flight", "65"],
  [
    "moving, naming others",
    false,
    "REGISTER AND MOVE cannot be used; prmig hands over without it",
    "66 67 68 69 70 71 72",
  ],
  [
    "moving, naming others",
    false,
    "registering on behalf of other initiators cannot be used; prmig does without it",
    "73 74 75",
  ],
  ["what lasts", true, "the power-loss setting that a guest chose is lost or changed by a hand-over", "77"],
  ["what lasts", true, "a reset by anybody, or a cable pulled for a moment, ends reservations", "81"],
  ["what lasts", true, "reservations vanish at a power loss, or come back when they should not", "79 80"],
  [
    "what lasts",
    true,
    "a command that was answered with a unit attention was executed all the same: repeating it does harm",
    "82",
  ],
  ["what lasts", false, NOT_OURS, "76 78 83 89"],
  ["hand-over", true, "a reservation cannot be handed over by one-time keys", "90"],
  ["hand-over", true, "a hand-over that fails cannot be rolled back", "91"],
  ["hand-over", true, "a registration without a reservation cannot be moved", "92"],
  ["hand-over", true, "trouble on the way leaves prmig with a wrong idea of the LUN", "93 94 95 96"],
];

const STAKES: ReadonlyMap<number, Stake> = new Map(
  ROWS.flatMap(([area, needed, means, scenarios]) =>
    scenarios.split(" ").map((number) => [Number(number), { area, needed, means }] as const)
  ),
);

/** What depends on a scenario. Throws `RangeError` for a scenario of no known number. */
export function stakeOf({ id }: Scenario): Stake {
  const stake = STAKES.get(Number(/^C(\d+)/.exec(id)?.[1]));
  if (stake === undefined) throw new RangeError(`nobody has said what depends on ${id}`);
  return stake;
}
