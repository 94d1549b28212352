/**
 * Runs commands on clients' descriptors: so many at a time a nexus, so many in all, none waiting for long.
 *
 * @module
 */
import { PR_IN } from "../pr/cdb.ts";
import type { Reply } from "../pr/nexus.ts";
import { classify, type Outcome } from "../scsi/outcome.ts";
import { STATUS } from "../scsi/status.ts";
import { sgIo } from "../sg/sg_io.ts";
import { SysError } from "../sys/errno.ts";
import { Gate, type GateChoices } from "./gate.ts";
import { type HelperAnswer, type HelperRequest, transferLength, WIRE } from "./helper_protocol.ts";
import type { NexusEntry } from "./nexus_book.ts";
import { answerForErrno, answerForReply } from "./result.ts";

/** What a command came to: for the client, and for the tracker. */
export interface Ended {
  readonly answer: HelperAnswer;
  readonly outcome: Outcome;
}

/** Executes a CDB on a descriptor; `sgIo`, or a test's stand-in. Rejects with SysError when the kernel refuses. */
export type DeviceIo = (
  descriptor: number,
  cdb: Uint8Array,
  data: Uint8Array | number,
  timeoutMs: number,
) => Promise<Reply>;

/** Limits. */
export interface RunnerOptions {
  /** Milliseconds until the kernel gives up on a command. */
  readonly timeoutMs: number;
  /** Milliseconds a command may wait for its turn before it is answered BUSY. */
  readonly patienceMs?: number;
  readonly io?: DeviceIo;
  /** Commands under way at a time, over all nexuses; what `io` can do. */
  readonly commandsAtOnce?: number;
  readonly gates?: GateChoices;
}

const PATIENCE_MS = 5_000;
/** The process' own threads for calls that may hang are 72 (lib/sys/calls.ts); asking the LUN must still find one. */
const COMMANDS_AT_ONCE = 20;

/** Runs commands. */
export class Runner {
  readonly #all: Gate;
  readonly #timeoutMs: number;
  readonly #patienceMs: number;
  /** The way to the device. */
  readonly io: DeviceIo;

  constructor(
    {
      timeoutMs,
      patienceMs = PATIENCE_MS,
      io = sgIo,
      commandsAtOnce = COMMANDS_AT_ONCE,
      gates,
    }: RunnerOptions,
  ) {
    this.#all = new Gate(commandsAtOnce, gates);
    this.#timeoutMs = timeoutMs;
    this.#patienceMs = patienceMs;
    this.io = io;
  }

  /** Executes on the device; `null` when its turn did not come in time. */
  async run(
    entry: NexusEntry | null,
    request: HelperRequest,
  ): Promise<Ended | null> {
    // Where there is a place at once, nothing is waited for: each wait costs a turn of the microtask queue.
    if (
      entry && !entry.gate.tryEnter() &&
      !await entry.gate.enter(this.#patienceMs)
    ) return null;
    try {
      if (!this.#all.tryEnter() && !await this.#all.enter(this.#patienceMs)) {
        return null;
      }
      try {
        const { cdb, parameters, descriptor } = request;
        // Room for what the guest asks for; without any, as in the stock program, room for 8192 bytes all the same: a
        // transfer of nothing would have no direction.
        const data = cdb[0] === PR_IN ? transferLength(cdb) || WIRE.maxData : parameters;
        const reply = await this.io(descriptor, cdb, data, this.#timeoutMs);
        return { answer: answerForReply(reply), outcome: classify(reply) };
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        return { answer: answerForErrno(error.errno), outcome: outcomeOf(error) };
      } finally {
        this.#all.leave();
      }
    } finally {
      entry?.gate.leave();
    }
  }

  /** What `work` gives, done when all earlier PR OUTs of the nexus are settled; `false` when that would have taken too long. */
  async inLane<T>(
    { lane }: NexusEntry,
    work: () => Promise<T>,
  ): Promise<T | false> {
    if (!lane.tryEnter() && !await lane.enter(this.#patienceMs)) return false;
    try {
      return await work();
    } finally {
      lane.leave();
    }
  }
}

function outcomeOf(error: SysError): Outcome {
  if (error.code === "EBADE") return { kind: "conflict" };
  if (error.code === "EDOM") {
    return { kind: "busy", status: STATUS.taskSetFull, why: error.message };
  }
  return { kind: "unknown", why: error.message, sense: null };
}
