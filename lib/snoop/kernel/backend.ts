/**
 * Where kernel records come from: the seam between tracefs (tracefs_backend.ts) and whatever may come beside it.
 *
 * A BPF program on scsi_dispatch_cmd_done could give the same records without correlation; it would implement this.
 *
 * @module
 */
import type { KernelRecord } from "./correlate.ts";

/** How much the kernel lets us see. */
export interface KernelSight {
  /** `all`: every entry point's keys; `some`: without those of `blind`; `none`: commands and statuses alone. */
  readonly keys: "all" | "some" | "none";
  /** Entry points whose keys stay unknown, with the reason: `bsg_ioctl (ENOENT)`. */
  readonly blind: readonly string[];
  /** What a person should know: failed settings, a self-test that failed, leftovers that were removed. */
  readonly notes: readonly string[];
}

/** What a wait for records ended with. */
export type KernelBatch =
  | { readonly kind: "records"; readonly records: readonly KernelRecord[] }
  | { readonly kind: "idle" }
  /** Somebody else ended it, and nothing more will come; `reason` is a sentence. */
  | { readonly kind: "ended"; readonly reason: string }
  /** {@link KernelBackend.close} was called. */
  | { readonly kind: "closed" };

/** A running source of kernel records. */
export interface KernelBackend {
  readonly sight: KernelSight;
  /** The next records, in order of time. One call at a time. */
  next(): Promise<KernelBatch>;
  /**
   * Puts a marker among the events: once {@link next} gives it back, everything before it has been given too.
   * `false`: markers are not to be had.
   */
  mark(text: string): boolean;
  /** Takes everything down. Synchronous, so that it can run while the program ends; safe to call twice. */
  close(): void;
}
