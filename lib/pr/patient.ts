/**
 * A Nexus that waits out what passes: unit attentions, BUSY, TASK SET FULL, "becoming ready".
 *
 * All of these mean that the command was not executed, so sending it again is the same as sending it late. A reply that
 * leaves the outcome open is handed on as it is: a PERSISTENT RESERVE OUT is never repeated then, a read once.
 * For our own commands only; what a guest sends gets its unit attentions itself.
 *
 * @module
 */
import { classify, type Outcome } from "../scsi/outcome.ts";
import { OPCODE } from "../scsi/opcodes.ts";
import { senseCode } from "../scsi/sense.ts";
import { PR_IN } from "./cdb.ts";
import type { CommandOptions, Nexus, Reply } from "./nexus.ts";

/** One command about to be sent again. */
export interface Retry {
  /** Address of the nexus. */
  readonly address: string;
  /** The command block. */
  readonly cdb: Uint8Array;
  /** What came of the attempt before: a unit attention, busy, or (reads only) unknown. */
  readonly outcome: Outcome;
  /** How often the command has been sent so far, from 1. */
  readonly attempt: number;
  /** Milliseconds until it is sent again. */
  readonly pauseMs: number;
}

/** Limits and clock of {@link patient}. */
export interface PatientOptions {
  /** Milliseconds after which a command that is still not executed keeps its last reply. Default 10 000. */
  readonly deadlineMs?: number;
  /** Waits. Default: the real clock. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Milliseconds on a clock that never goes back. Default: the real one. */
  readonly now?: () => number;
  /** Told before every repeat. */
  readonly onRetry?: (retry: Retry) => void;
}

const DEADLINE_MS = 10_000;
const MAX_UNIT_ATTENTIONS = 10; // several may be queued, one per event since the last command
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;
const SENSE_BYTES = 252;

/** Commands that change nothing, and so may be repeated although the first one may have been executed. */
const READS: readonly number[] = [PR_IN, OPCODE.inquiry, OPCODE.testUnitReady, OPCODE.reportLuns];

/** Wraps a nexus. Every reply it resolves with is the device's own; rejections pass through. */
export function patient(nexus: Nexus, options: PatientOptions = {}): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: (cdb, data, limits) => executePatiently(nexus, options, cdb, data, limits),
    close: () => nexus.close(),
  };
}

async function executePatiently(
  nexus: Nexus,
  { deadlineMs = DEADLINE_MS, sleep = realSleep, now = () => performance.now(), onRetry = () => {} }: PatientOptions,
  cdb: Uint8Array,
  data: Uint8Array | number,
  limits: CommandOptions | undefined,
): Promise<Reply> {
  const deadline = now() + deadlineMs;
  const budget = new Budget(cdb);
  for (let attempt = 1;; attempt++) {
    const reply = await nexus.execute(cdb, data, limits);
    const outcome = classify(reply);
    const pauseMs = budget.pauseAfter(outcome);
    if (pauseMs === null || now() + pauseMs > deadline) return reply;
    onRetry({ address: nexus.address, cdb, outcome, attempt, pauseMs });
    if (pauseMs > 0) await sleep(pauseMs);
    // A unit attention that reporting does not clear (UA_INTLCK_CTRL) is cleared by REQUEST SENSE.
    if (budget.stuckAfter(outcome)) await nexus.execute(requestSense(), SENSE_BYTES, limits);
  }
}

/** What one command may still be granted. */
class Budget {
  #attentions = MAX_UNIT_ATTENTIONS;
  #repeats: number;
  #backOffMs = FIRST_PAUSE_MS;
  #lastAttention: string | null = null;
  #senseAsked = false;

  constructor(cdb: Uint8Array) {
    this.#repeats = READS.includes(cdb[0] ?? -1) ? 1 : 0;
  }

  /** Milliseconds to wait before the command may be sent again; `null` when it may not. */
  pauseAfter(outcome: Outcome): number | null {
    if (outcome.kind === "unitAttention") return this.#attentions-- > 0 ? 0 : null;
    if (outcome.kind === "unknown") return this.#repeats-- > 0 ? FIRST_PAUSE_MS : null;
    if (outcome.kind !== "busy") return null;
    const pauseMs = this.#backOffMs;
    this.#backOffMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    return pauseMs;
  }

  /** True, once, when the same unit attention came twice in a row. */
  stuckAfter(outcome: Outcome): boolean {
    if (outcome.kind !== "unitAttention" || this.#senseAsked) return false;
    const attention = senseCode(outcome.sense);
    this.#senseAsked = attention === this.#lastAttention;
    this.#lastAttention = attention;
    return this.#senseAsked;
  }
}

function requestSense(): Uint8Array {
  return Uint8Array.of(OPCODE.requestSense, 0, 0, 0, SENSE_BYTES, 0);
}

function realSleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
