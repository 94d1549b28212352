/**
 * The server's loop on the main thread: waits for descriptors, handles what is ready, lets answers leave.
 *
 *     wait through the runtime ─> ready ─> handle ─> answers ─> pause? ─> wait here, 2 ms ─> ready ─> ...
 *              ^                                                     │ nothing, or 100 ms are over
 *              └─────────────────────────────────────────────────────┘
 *
 * @module
 */
import { Epoll, type Ready } from "../sys/epoll.ts";
import { TurnClock } from "./turn_clock.ts";

/** Something else to be served in the same loop. */
export interface Attendant {
  /** Watched for reading. */
  readonly fd: number;
  /** Called when there is something to read; reads all of it. Must not throw. */
  readonly collect: () => void;
  /** Commands it will report; those that move and that it does not have are on their way to it, or back to their end. */
  readonly underWay: number;
}

/** What the loop asks of the server. */
export interface LoopHooks {
  readonly handle: (ready: Ready) => void;
  /** Commands that have begun, are not done with, and do not wait for others to end. */
  readonly moving: () => number;
  /** Nothing is about to happen, or 10 ms are over: what can wait is done now. */
  readonly pause: () => void;
  /** Something of ours is under way in the runtime, and is to get on. */
  readonly inRuntime: () => boolean;
  /** True when nothing is left to do. */
  readonly over: () => boolean;
}

/**
 * Milliseconds that the loop waits by itself while things happen. A wait through the runtime wakes two threads, a wait by itself
 * none: with one client, who sends the next command when the last is answered, that is most of the time (decision 0040).
 */
const WAIT_HERE_MS = 2;
/**
 * Milliseconds until a pause while things happen, and until the runtime has its turn: timers and signals, which may be late, and
 * at each pause when files are being written. A turn takes some 15 system calls: under user-mode Linux, where one command takes
 * as many, every 10 ms were a tenth of the time, and the 99th percentile of one client's commands.
 */
const PAUSE_MS = 10, TURN_MS = 100;
/** More turns than a command's way back takes. */
const MOST_TURNS = 16;

/** One loop. */
export class ServeLoop {
  /** What is waited for. */
  readonly epoll = new Epoll();
  #going = false;

  /** `clock`: stands still while things happen, and goes by itself while the runtime has its turn. */
  constructor(
    private readonly attendant: Attendant | null,
    private readonly hooks: LoopHooks,
    private readonly clock: TurnClock = new TurnClock(),
  ) {
    if (attendant) this.epoll.add(attendant.fd);
  }

  /** Things happen, and {@link LoopHooks.pause} will be called before the loop waits again. */
  get going(): boolean {
    return this.#going;
  }

  /** Goes round until there is nothing left to do; gives the descriptors back. */
  async run(): Promise<void> {
    while (!this.hooks.over()) {
      let ready = await this.epoll.wait();
      this.clock.advance();
      const turnEndsUs = this.clock.nowUs() + TURN_MS * 1000;
      let pauseUs = this.clock.nowUs() + PAUSE_MS * 1000;
      this.#going = true;
      while (ready.length > 0) {
        // What has come back first: it came back before this turn's instant, whatever begins in this turn begins after it.
        if (ready.some(({ fd }) => fd === this.attendant?.fd)) this.attendant?.collect();
        this.clock.advance();
        for (const each of ready) if (each.fd !== this.attendant?.fd) this.hooks.handle(each);
        await this.#answers();
        if (this.clock.nowUs() >= pauseUs) {
          if (this.clock.nowUs() >= turnEndsUs || this.hooks.inRuntime()) break;
          this.hooks.pause();
          await this.#answers(); // a command that was found only now leaves before the wait, not after it
          pauseUs = this.clock.nowUs() + PAUSE_MS * 1000;
        }
        ready = this.epoll.poll(WAIT_HERE_MS);
      }
      this.#going = false;
      this.hooks.pause();
      this.clock.release();
    }
    this.epoll.close();
  }

  /**
   * Lets commands that have come back be answered, and those that waited for them leave, which takes some turns of promises:
   * whatever is not through by then would wait for the next thing to happen.
   */
  async #answers(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await null;
      if (this.hooks.moving() <= (this.attendant?.underWay ?? 0)) return;
    }
  }
}
