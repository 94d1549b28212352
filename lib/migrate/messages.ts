/**
 * What the two sides say to each other, as values. How it is written on the wire is in stream.ts; docs/stream-format.md
 * specifies both so that another program can take either part.
 *
 * @module
 */
import type { Offer } from "./offer.ts";

/**
 * How the reservation passes: by a commit token, or, for a peer that cannot re-key its guest, by preempting the guest's
 * own key, as QEMU 11 does it. `plain` moves only what that is safe for: a reservation with one holder, under a key that
 * nobody else has.
 */
export type Method = "token" | "plain";

/** First record of a stream. */
export interface Hello {
  readonly record: "hello";
  /** Version of the format. */
  readonly prmig: 1;
  /** Name of this hand-over: in both journals, in messages, in reports. */
  readonly handOver: string;
  /** Where answers go: `lun` when the stream runs one way and both sides signal through the LUN, else `stream`. */
  readonly signals: "lun" | "stream";
  readonly method: Method;
  /**
   * The source commits within this time of an offer (`lun`) or of an `alive` that was answered (`stream`), or not at all.
   * The destination in turn does not leave by itself before it has passed: a leave that met a commit would take the
   * guest's key off the LUN and look like fencing.
   */
  readonly windowMs: number;
}

/** One LUN of the offer. */
export interface LunRecord {
  readonly record: "lun";
  readonly offer: Offer;
}

/** Closes the offer. */
export interface End {
  readonly record: "end";
  /** Number of `lun` records. */
  readonly luns: number;
  /** SHA-256 over every byte before this line, lower-case hex. */
  readonly sha256: string;
}

/** Messages after the offer, on a two-way stream only. */
export type Message =
  /** D: every LUN found, checked, and registered. */
  | { readonly record: "prepared" }
  /** D: cannot or will not; nothing of it is registered. */
  | { readonly record: "refused"; readonly reason: string }
  /** S: the guest re-keyed itself or changed its reservation: LUN `index` is now this. */
  | { readonly record: "update"; readonly index: number; readonly offer: Offer }
  /** D: LUN `index` follows the update. */
  | { readonly record: "followed"; readonly index: number }
  /** S: registered under the commit token on every LUN. */
  | { readonly record: "committed" }
  /** D: its PREEMPT was answered on every LUN; what it did, each side reads from the LUN. */
  | { readonly record: "taken" }
  /** S: has read that the destination holds; the move can no longer be undone, the destination may settle. */
  | { readonly record: "verified" }
  /** D: settled, hand-over closed. */
  | { readonly record: "settled" }
  /** D: asks to be let go; S answers `abort`. */
  | { readonly record: "withdraw"; readonly reason: string }
  /** S: gives up; it will not commit any more, and has its key back wherever the LUN let it. */
  | { readonly record: "abort"; readonly reason: string }
  /** D: unregistered everywhere after an abort. */
  | { readonly record: "left" }
  /** Either: still there; `n` counts up from the source, the destination answers with the same. */
  | { readonly record: "alive"; readonly n: number };

/** The words after the offer. */
export type MessageName = Message["record"];
