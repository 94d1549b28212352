/**
 * Everything a hand-over needs from the world besides the LUNs themselves, as interfaces: so that the code that runs
 * on a cluster at night is, line for line, the code the model check drives through every interleaving.
 *
 * @module
 */
import type { Random32 } from "./tokens.ts";
import type { Message } from "./messages.ts";
import type { JournalEntry } from "./journal_entry.ts";

/** What {@link Link.next} may bring besides a message. */
export type Silence = { readonly record: "quiet" } | { readonly record: "closed" };

/** The way to the other side. */
export interface Link {
  /** False over a one-way pipe: then both sides signal through the LUN. */
  readonly duplex: boolean;
  /** Sends one message; false when the other side can no longer hear. */
  send(message: Message): Promise<boolean>;
  /**
   * The next message, or `quiet` after `waitMs` without one or as soon as `wake` settles, or `closed` when none can come
   * any more. On a one-way link: a wait.
   */
  next(waitMs: number, wake?: Promise<unknown>): Promise<Message | Silence>;
}

/** Where a side writes down what it is about to do. */
export interface Journal {
  /** Resolves once the entry is on stable storage. Rejects with a PrmigError when that fails. */
  write(entry: JournalEntry): Promise<void>;
}

/** Time that cannot be set back by anybody. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Waits `ms`, or until `wake` settles if that is sooner. */
  sleep(ms: number, wake?: Promise<unknown>): Promise<void>;
}

/** One thing a side did or saw, for people. */
export interface Progress {
  readonly phase: string;
  readonly text: string;
  readonly device?: string;
}

/** The world as one side of a hand-over sees it. */
export interface Ports {
  readonly link: Link;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random32;
  report(progress: Progress): void;
  /** True once a person or a service manager asked to stop. */
  interrupted(): boolean;
}
