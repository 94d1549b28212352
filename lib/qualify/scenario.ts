/**
 * Scenarios: what a LUN with persistent reservations has to answer to whom, as data. Three nexuses A, B and C with
 * different initiators; steps in order; every step says what must come of it.
 *
 *     scenario("C24", "somebody else holds: a registrant's RESERVE conflicts", [
 *       register("A", 0n, K1), reserve("A", K1, 5), register("B", 0n, K2),
 *       reserve("B", K2, 5, "conflict"),
 *       state({ A: K1, B: K2 }, held(5, "A")),
 *     ])
 *
 * Pure data. The runner (run.ts) plays them over any three nexuses of one scratch LUN.
 *
 * @module
 */
import type { OrdinaryName } from "./ordinary.ts";

/** One of the three nexuses. */
export type Player = "A" | "B" | "C";
/** All players, in order. */
export const PLAYERS: readonly Player[] = ["A", "B", "C"];

/** Keys of the scenarios; their prefix ("prmg" in ASCII) makes left-overs known as ours. */
export const K1 = 0x7072_6d67_0000_0001n;
/** Key of B, usually. */
export const K2 = 0x7072_6d67_0000_0002n;
/** Key of C, usually. */
export const K3 = 0x7072_6d67_0000_0003n;
/** A key nobody is registered with. */
export const K9 = 0x7072_6d67_0000_0009n;
/** One-time keys of a hand-over. */
export const X = 0x7072_6d67_0000_00f1n;
/** One-time key of the destination. */
export const Y = 0x7072_6d67_0000_00f2n;

const KEY_NAMES = new Map([[K1, "K1"], [K2, "K2"], [K3, "K3"], [K9, "K9"], [X, "X"], [Y, "Y"], [0n, "0"]]);

/** "K1", or the key in hex when it is none of ours. */
export function keyName(key: bigint): string {
  return KEY_NAMES.get(key) ?? "0x" + key.toString(16).padStart(16, "0");
}

/**
 * What came of a command, in a word: `good`, `conflict`, `busy`, `taskSetFull`, a sense as `06/2A/05`, `lost` when the
 * transport does not know, or `status 40h`.
 */
export type Result = string;

/** A PERSISTENT RESERVE OUT with players where the bytes have TransportIDs. Fields left out are 0. */
export interface OutRequest {
  /** SERVICE ACTION. */
  readonly action: number;
  /** RESERVATION KEY. */
  readonly rk?: bigint;
  /** SERVICE ACTION RESERVATION KEY. */
  readonly sark?: bigint;
  /** SCOPE. */
  readonly scope?: number;
  /** TYPE. */
  readonly type?: number;
  /** APTPL. */
  readonly aptpl?: boolean;
  /** ALL_TG_PT. */
  readonly allTgPt?: boolean;
  /** SPEC_I_PT: these players' TransportIDs. */
  readonly naming?: readonly Player[];
  /** REGISTER AND MOVE: to this player's nexus. */
  readonly to?: Player;
  /** UNREG, of REGISTER AND MOVE. */
  readonly unreg?: boolean;
}

/** What a command step sends. */
export type Act =
  | { readonly kind: "out"; readonly request: OutRequest }
  | { readonly kind: "in"; readonly action: number; readonly allocationLength: number }
  | { readonly kind: "ordinary"; readonly name: OrdinaryName }
  | { readonly kind: "raw"; readonly cdb: string; readonly dataOut: string };

/** Trouble on the way of one command; only where the runner can cause it. */
export type Trouble = "busy" | "taskSetFull" | "timeoutDone" | "timeoutNotDone";

/** A command of one player, and what must come of it. */
export interface CommandStep {
  /** Says which kind of step this is. */
  readonly kind: "command";
  /** Who sends. */
  readonly by: Player;
  /** What is sent. */
  readonly act: Act;
  /** The result wanted, or several of which each is right. */
  readonly want: readonly Result[];
  /** Data-in wanted, as hex digits with `..` for a byte that may be anything and a last `*` for any rest; `null`: whatever came. */
  readonly data: string | null;
  /** Trouble on its way. */
  readonly trouble: Trouble | null;
}

/** The reservation a state step wants. */
export interface Held {
  /** TYPE. */
  readonly type: number;
  /** Who holds. */
  readonly by: Player | "all";
}

/** Reads the LUN whole, and compares. */
export interface StateStep {
  /** Says which kind of step this is. */
  readonly kind: "state";
  /** The player that reads; by default the one of the last command. It must have no unit attention waiting. */
  readonly via: Player | null;
  /** Who is registered under which key; nobody else may be. */
  readonly registered: Readonly<Partial<Record<Player, bigint>>>;
  /** The reservation; `null`: there must be none. */
  readonly held: Held | null;
  /** How far PRGENERATION has come since the last state step, or since the start; `null`: not compared. */
  readonly generation: number | null;
  /** PTPL_A; `null`: not compared. */
  readonly ptpl: boolean | null;
}

/** Something that happens without a command. */
export interface EventStep {
  /** Says which kind of step this is. */
  readonly kind: "event";
  /** What happens. */
  readonly event: "powerCycle" | "reset" | "nexusLoss" | "loseInformation";
  /** To whom, where that matters. */
  readonly of: Player | null;
}

/** One step. */
export type Step = CommandStep | StateStep | EventStep;

/** What a scenario needs of the target beyond the everyday; a target without it is not judged by the scenario. */
export type Need =
  | EventStep["event"]
  | "trouble"
  | "readFullStatus"
  | "registerAndMove"
  | "preemptAndAbort"
  | "specIPt"
  | "aptpl"
  | "replaceLost"
  | "compatibleReservations"
  | "noCompatibleReservations"
  /** LIO that cannot write its APTPL file. */
  | "noAptplFile";

/** One scenario. */
export interface Scenario {
  /** `C01` ... as in the reference; `C17-5` is C17 for type 5. */
  readonly id: string;
  /** The rule in a sentence. */
  readonly title: string;
  /** Reservation types it reserves. */
  readonly types: readonly number[];
  /** What it needs of the target. */
  readonly needs: readonly Need[];
  /** Kinds of target that may be harmed by it, with the reason. */
  readonly unsafeOn: Readonly<Record<string, string>>;
  /** What is played. */
  readonly steps: readonly Step[];
}

/** What else there is to say about a scenario. */
export interface Facts {
  /** See {@link Scenario.needs}. */
  readonly needs?: readonly Need[];
  /** See {@link Scenario.unsafeOn}. */
  readonly unsafeOn?: Readonly<Record<string, string>>;
}

/** A scenario of steps; nested lists of steps are laid flat. */
export function scenario(
  id: string,
  title: string,
  steps: readonly (Step | readonly Step[])[],
  { needs = [], unsafeOn = {} }: Facts = {},
): Scenario {
  const flat = steps.flat();
  const types = new Set<number>();
  for (const step of flat) {
    if (step.kind === "state" && step.held !== null) types.add(step.held.type);
  }
  return { id, title, types: [...types].sort(), needs, unsafeOn, steps: flat };
}

/** One scenario for each type: `id` becomes `id-type`. */
export function forTypes(types: readonly number[], make: (type: number) => Scenario): Scenario[] {
  return types.map((type) => {
    const made = make(type);
    return { ...made, id: `${made.id}-${type}`, title: `${made.title} (type ${type})` };
  });
}
