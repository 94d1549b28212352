/**
 * A hand-over at one instant, as a value: the LUN, both sides, what is under way between them, and what trouble is left.
 *
 * @module
 */
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import type { PrType } from "../../lib/pr/types.ts";
import type { Message } from "../../lib/migrate/messages.ts";
import type { Command } from "./luns.ts";
import type { Node } from "./process.ts";
import { type Budget, K, type Who } from "./scene.ts";

/** One side. */
export interface Side {
  /** `unborn`: not started. `dead`: killed. `ended`: its process returned. */
  readonly state: "unborn" | "running" | "dead" | "ended";
  /** Where its process stands; `null` when none runs. */
  readonly node: Node | null;
  /** Its journal on disk. */
  readonly journal: JournalEntry | null;
  /** The LUN when it last looked or was last woken: a poll without a change would only repeat itself. */
  readonly seen: number;
  /** When it died or ended. */
  readonly since: number;
  /** It has been told that its link is closed. */
  readonly toldClosed: boolean;
  /** Messages on their way to it. */
  readonly inbox: readonly Message[];
  /** Commands that nobody waits for any more, and that may still be carried out. */
  readonly late: readonly Command[];
  readonly recovers: number;
  /** Its last look showed a LUN on which the guest had been fenced. */
  readonly sawFenced: boolean;
}

/** For a side of which no command is on its way. */
export const NOTHING_LATE: Side["late"] = [];

/** Everything. */
export interface World {
  readonly lun: number;
  readonly now: number;
  readonly source: Side;
  readonly destination: Side;
  /** `silent`: messages vanish and nobody is told. */
  readonly link: "open" | "broken" | "silent";
  readonly left: Budget;
  /**
   * The third party: has not come, has removed the guest's registration, has removed it when the move was done already,
   * or has found only others under the guest's key.
   */
  readonly fence: "due" | "fenced" | "fenced after the move" | "missed" | "none";
  /** LUNs on which the source evicts from behind a one-time key, a bit each: the one time at which K may be off the LUN. */
  readonly gap: number;
  /** See {@link Residual}. */
  readonly residual: Residual;
  /** A person has taken back what had been handed over: what the sides said before is past. */
  readonly rolledBack: boolean;
  /** `quiet`: does nothing. `due`: may act. `acted`: has. `still`: the gate is open, and it stands still. */
  readonly guest: "quiet" | "due" | "acted" | "still";
  /** The key and the type that are to be moved, on the first LUN. */
  readonly key: bigint;
  readonly type: PrType | 0;
}

/**
 * The case nothing on the LUN can tell (docs/hand-over.md, "Why the source restores first and looks after"): the third
 * party removed the witness while the source stood under its token (`primed`), the source restored its key all the same
 * (`armed`) and died before it had looked and dropped the key again (`yes`).
 */
export type Residual = "no" | "primed" | "armed" | "yes";

const numbers = new Map<string, number>();
const byValue = new WeakMap<object, number>();

/** A number for a value: equal numbers for equal JSON. */
export function numberOf(value: object | null): number {
  if (value === null) return -1;
  let number = byValue.get(value);
  if (number === undefined) {
    const text = JSON.stringify(value, (_, item) => typeof item === "bigint" ? item.toString(16) : item);
    number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    byValue.set(value, number);
  }
  return number;
}

const opNumbers = new WeakMap<object, number>();

function numberOfOp(op: Command): number {
  let number = opNumbers.get(op);
  if (number === undefined) {
    number = numberOf({
      lun: op.lun,
      nexus: op.nexus,
      cdb: [...op.cdb],
      data: typeof op.data === "number" ? op.data : [...op.data],
    });
    opNumbers.set(op, number);
  }
  return number;
}

function sideKey(side: Side): string {
  const { state, node, journal, seen, since, toldClosed, inbox, late, recovers, sawFenced } = side;
  const flags = (toldClosed ? 1 : 0) + (sawFenced ? 2 : 0);
  return `${state}${node?.id ?? ""},${numberOf(journal)},${seen},${since},${flags},${inbox.map(numberOf).join("+")},${
    late.length === 0 ? "" : late.map(numberOfOp).join("+")
  },${recovers}`;
}

/** Two worlds with equal keys have the same future. */
export function worldKey(world: World): string {
  const { lun, now, source, destination, link, left, fence, gap, residual, rolledBack, guest, key, type } = world;
  return `${lun}|${now}|${sideKey(source)}|${
    sideKey(destination)
  }|${link}|${left.crashes},${left.faults},${left.jumps},${left.interrupts ?? 0}|${fence}|${gap}|${residual}|${
    rolledBack ? 1 : 0
  }|${guest},${key},${type}`;
}

/** True once the third party has removed the guest's registration. */
export function isFenced({ fence }: World): boolean {
  return fence === "fenced" || fence === "fenced after the move";
}

/** The other side. */
export function other(who: Who): Who {
  return who === "source" ? "destination" : "source";
}

/** What is to be moved on one LUN. */
export function movedOn({ key, type }: World, lun: number, { type: offered }: { readonly type: PrType | 0 }): {
  readonly key: bigint;
  readonly type: PrType | 0;
} {
  return lun === 0 ? { key, type } : { key: K, type: offered };
}

/** True when nothing is left for this side to do, ever. */
export function isClosed({ state, journal }: Side): boolean {
  return (state === "ended" || state === "dead") && (journal === null || journal.phase === "closed");
}
