/**
 * What a side of a hand-over writes down before it acts: enough for `prmig recover` to read the LUN and finish or undo.
 *
 * @module
 */
import type { Method } from "./messages.ts";
import type { NexusName, Offer } from "./offer.ts";
import type { Shown } from "./shown.ts";

/** What a side was about to do when it wrote. The LUN, not the journal, says whether it was done. */
export type SourcePhase = "offered" | "committing" | "aborting" | "evicting" | "closed";
export type DestinationPhase = "preparing" | "prepared" | "taking" | "settling" | "leaving" | "closed";

/** How a hand-over ended for one side, as read from the LUN. `dropped`: the guest itself gave up what was offered. */
export type Outcome = "moved" | "restored" | "fenced" | "dropped" | "nothing";

/** One LUN in a journal. */
export interface JournalLun {
  /** Address this side uses for it. */
  readonly device: string;
  readonly offer: Offer;
  /** Source: the destination's nexuses before the commit. Destination: the first of its own. */
  readonly witnesses?: readonly NexusName[];
  /** Keys of the guest before it re-keyed itself, while the destination may still stand under one of them. */
  readonly formerKeys?: readonly bigint[];
  /** Source: its paths that stood under its key when it began to register the others again. */
  readonly standing?: readonly NexusName[];
  /** Source: it may have stepped aside to evict the destination, or knows that it did evict it: its absence is not fencing. */
  readonly aside?: "evicting" | "evicted";
  /** Source: the LUN as it was when a person was asked whether the guest was fenced. */
  readonly asked?: Shown;
}

/** The journal of one side of one hand-over: replaced as a whole, never edited. */
export interface JournalEntry {
  readonly prmig: 1;
  readonly handOver: string;
  readonly role: "source" | "destination";
  readonly phase: SourcePhase | DestinationPhase;
  readonly method: Method;
  readonly luns: readonly JournalLun[];
  readonly windowMs: number;
  /** Source: the commit may have begun. Destination: the take may have begun. */
  readonly committed: boolean;
  /** Set when `phase` is `closed`. */
  readonly outcome?: Outcome;
}
