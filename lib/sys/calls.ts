/**
 * The system calls of this process that may hang: one set of threads, and the wait for what they bring.
 *
 *     a call begins ─> leaves ─> wait here, 1 ms ─> ended: settle, on to what begins then ─┐
 *                        ^            │ nothing                                            │
 *                        │            └─> wait through the runtime ─> ended ──────────────>│
 *                        └─ every 5 ms the runtime has its turn <──────────────────────────┘
 *
 * Waiting through the runtime wakes two threads of its own and settles a promise from afar, more than most commands take
 * (decision 0041); waiting here costs nothing but that timers, signals and files have to wait as well. So it is for a moment
 * only: a call that hangs holds up neither them nor other calls.
 *
 * @module
 */
import { CallThreads } from "./call_threads.ts";
import type { CallMemory } from "./call_memory.ts";

/** So many calls may hang at a time in one isolate; more wait for their turn. */
export const CALLS_AT_ONCE = 72;
/** What most calls work on: a SCSI command with 8 KiB of data, or a path. */
const BYTES = 9728;

/** Milliseconds for which the main thread waits by itself at a time, and after which the runtime has its turn. */
const HERE_MS = 1, TURN_MS = 5;
/**
 * Waits from one look at the clock to the next, 4 ms at the most. A look is a system call in user-mode Linux, and was 14 % of a
 * dump of 256 LUNs there.
 */
const WAITS_A_LOOK = 4;
/**
 * From the end of a command to the next one of the same LUN it takes some turns of promises, 8 with all that lib/cli/open.ts
 * puts around a nexus; many more are of use to nobody.
 */
const MOST_TURNS = 16;

const POLLIN = 1;
const SYMBOLS = {
  here: { name: "poll", parameters: ["buffer", "usize", "i32"], result: "i32" },
  elsewhere: { name: "poll", parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
} as const;

/** Makes a system call off the main thread, as {@link CallThreads.run} does. */
export function systemCall<T>(
  bytes: number,
  begin: (memory: CallMemory) => void,
  end: (result: number, memory: CallMemory) => T,
): Promise<T> {
  return sharedThreads().run(bytes, begin, end);
}

/** The threads of this isolate, made at the first use. Who runs a call on them need not collect it. */
export function sharedThreads(): CallThreads {
  return shared ??= new Waiter().threads;
}

let shared: CallThreads | undefined;

/** Collects what the threads bring, as long as anything is under way. */
class Waiter {
  readonly threads = new CallThreads(CALLS_AT_ONCE, BYTES, () => this.#begin());
  readonly #poll = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  readonly #set = pollSet(this.threads.fd);
  /** When the runtime has to have its turn. */
  #turnDue = performance.now() + TURN_MS;
  #signalled = false;
  #waits = 0;
  #going = false;
  #elsewhere = false;

  #begin(): void {
    if (this.#going) return;
    this.#going = true;
    queueMicrotask(() => void this.#go()); // when this turn has begun all it has to
  }

  async #go(): Promise<void> {
    const { threads } = this;
    while (threads.underWay > 0) {
      if (this.#signalled || this.#turnIsDue()) await this.#turn();
      threads.leave();
      const begun = threads.begun;
      const ready = this.#poll.here(this.#set, 1n, HERE_MS);
      if (ready < 0) this.#signalled = true; // its handler has waited long enough
      else if (ready > 0) await this.#settled(begun + threads.collect());
      else if (!threads.addThreads()) {
        void this.#waitElsewhere();
        break;
      }
    }
    this.#going = false;
    if (this.#elsewhere && threads.underWay === 0) threads.ring();
  }

  /** Lets those whose calls have ended go on, until they have begun as many, or have nothing to begin. */
  async #settled(expected: number): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS && this.threads.begun < expected; turn++) await null;
  }

  #turnIsDue(): boolean {
    return ++this.#waits % WAITS_A_LOOK === 0 && performance.now() >= this.#turnDue;
  }

  /** Timers, signals, files. */
  async #turn(): Promise<void> {
    this.#signalled = false;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#turnDue = performance.now() + TURN_MS;
  }

  /** Goes on when something has ended; what begins meanwhile is waited for here. */
  async #waitElsewhere(): Promise<void> {
    if (this.#elsewhere) return;
    this.#elsewhere = true;
    await this.#poll.elsewhere(this.#set, 1n, -1);
    this.#elsewhere = false;
    this.threads.collect();
    this.#begin();
  }
}

/** A struct pollfd. */
function pollSet(fd: number): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(8);
  const view = new DataView(set.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  return set;
}
