/**
 * Looks at one LUN again and again: at an interval, and soon after somebody hints that it may have changed.
 *
 * One look at a time. A look that does not come back is reported once and waited for, not repeated: a device that hangs
 * must not collect commands, nor threads. One that fails is reported, and the device is opened anew for the next look.
 * Nothing here disturbs the looks at other LUNs.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import type { Nexus } from "../pr/nexus.ts";
import { readRegistrations } from "../pr/read_state.ts";
import type { PrState, Registration } from "../pr/types.ts";

/** A LUN opened for looking. */
export interface PolledDevice {
  /** Tried in this order; the first that answers is asked first from then on. */
  readonly paths: readonly Nexus[];
  /** Designator of the LUN; `null` when it has none. */
  readonly designator: string | null;
  /** `host:channel:id:lun` of the paths, where they have one. */
  readonly addresses: readonly string[];
  /** Whether a registration is ours; `null`: cannot be told. */
  readonly isOwn: (registration: Registration) => boolean | null;
  close(): void;
}

/** What came of a look. */
export type Look =
  | {
    readonly kind: "seen";
    readonly state: PrState;
    readonly device: PolledDevice;
    /** CLOCK_MONOTONIC microseconds: when the look began and when it was over. */
    readonly startedUs: number;
    readonly endedUs: number;
  }
  /** The device is gone, refuses, or answers nonsense. */
  | { readonly kind: "failed"; readonly reason: string }
  /** No answer so far. */
  | { readonly kind: "hangs"; readonly reason: string };

/** Time, as the poller needs it; a test makes its own. */
export interface PollClock {
  /** Microseconds of CLOCK_MONOTONIC. */
  readonly nowUs: () => number;
  /** Calls back once after so many milliseconds; the result takes that back. */
  readonly after: (ms: number, call: () => void) => () => void;
}

/** When to look. */
export interface PollOptions {
  /** Milliseconds from the end of a look to the next; 0: only when asked. */
  readonly intervalMs: number;
  /** Milliseconds after which a look counts as hanging. */
  readonly patienceMs: number;
  /** Least milliseconds between two looks, however many hints come. */
  readonly leastGapMs: number;
}

/** Interval after a failed look when there is none of its own: a device that comes back has to be noticed. */
const RETRY_MS = 5000;

/** Looks at one LUN. */
export class LunPoller {
  #device: PolledDevice | null = null;
  #looking = false;
  #wanted = false;
  #closed = false;
  #lastEndUs = -Infinity;
  #cancel: () => void = () => {};

  constructor(
    private readonly open: () => Promise<PolledDevice>,
    private readonly options: PollOptions,
    private readonly clock: PollClock,
    private readonly report: (look: Look) => void,
    /** Gets what only a defect of ours can throw. */
    private readonly defect: (error: unknown) => void,
  ) {}

  /** Asks for a look as soon as the least gap allows. Hints that come meanwhile are one. */
  request(): void {
    if (this.#closed) return;
    this.#wanted = true;
    if (this.#looking) return;
    const sinceMs = (this.clock.nowUs() - this.#lastEndUs) / 1000;
    this.#schedule(Math.max(0, this.options.leastGapMs - sinceMs));
  }

  /** Looks once, now; resolves when it has been reported. */
  async look(): Promise<void> {
    if (this.#looking || this.#closed) return;
    this.#cancel();
    this.#looking = true;
    this.#wanted = false;
    const { patienceMs } = this.options;
    const cancelAlarm = this.clock.after(patienceMs, () => {
      this.#tell({ kind: "hangs", reason: `no answer for ${patienceMs / 1000} s` });
    });
    const look = await this.#lookOnce();
    cancelAlarm();
    this.#looking = false;
    this.#lastEndUs = this.clock.nowUs();
    this.#tell(look);
    this.#next(look);
  }

  /** Ends looking. A look under way is forgotten. */
  close(): void {
    this.#closed = true;
    this.#cancel();
    if (!this.#looking) this.#drop();
  }

  #tell(look: Look): void {
    if (!this.#closed) this.report(look);
  }

  #next(look: Look): void {
    if (this.#closed) return this.#drop();
    if (this.#wanted) return this.request();
    const { intervalMs } = this.options;
    if (intervalMs > 0) this.#schedule(intervalMs);
    else if (look.kind === "failed") this.#schedule(RETRY_MS);
  }

  #schedule(ms: number): void {
    this.#cancel();
    this.#cancel = this.clock.after(ms, () => void this.look().catch(this.defect));
  }

  async #lookOnce(): Promise<Look> {
    const startedUs = this.clock.nowUs();
    try {
      this.#device ??= await this.open();
      const state = await this.#ask(this.#device);
      return { kind: "seen", state, device: this.#device, startedUs, endedUs: this.clock.nowUs() };
    } catch (error) {
      if (!(error instanceof PrmigError)) throw error;
      this.#drop();
      return { kind: "failed", reason: error.facts.message };
    }
  }

  #answering: Nexus | null = null;

  async #ask({ paths }: PolledDevice): Promise<PrState> {
    const first = this.#answering !== null && paths.includes(this.#answering) ? [this.#answering] : [];
    let failure: unknown;
    for (const nexus of new Set([...first, ...paths])) {
      try {
        const state = await readRegistrations(nexus);
        this.#answering = nexus;
        return state;
      } catch (error) {
        if (!(error instanceof PrmigError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #drop(): void {
    this.#device?.close();
    this.#device = null;
  }
}
