/**
 * Conflicts and unit attentions of ordinary commands: the first at once, a storm of them once a second with a count.
 *
 * A fenced guest that goes on writing meets thousands of conflicts a second; a person wants to know that, not to see it.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";
import type { PollClock } from "./poll.ts";
import { isoMicros } from "./stamp.ts";
import type { WallTime } from "./wall_time.ts";

const WINDOW_MS = 1000;
/** Different kinds counted side by side; beyond that the oldest window is closed early. */
const MOST_KINDS = 32;

interface Window {
  last: PrEvent;
  more: number;
  cancel: () => void;
}

/** Counts the events of one LUN. */
export class ConflictTally {
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly clock: PollClock,
    private readonly wall: WallTime,
    private readonly sink: {
      event(event: PrEvent): void;
      /** Calls back in the turn of this instant (CLOCK_MONOTONIC). */
      inTurn(atUs: number, tell: () => void): void;
    },
  ) {}

  /** An event that may be one of many: same kind, device, status and command. */
  take(event: PrEvent): void {
    const kind = `${event.event} ${event.hctl} ${event.status} ${event.note}`;
    const window = this.#windows.get(kind);
    if (window) {
      window.last = event;
      window.more++;
      return;
    }
    if (this.#windows.size >= MOST_KINDS) this.#end(this.#windows.keys().next().value!);
    this.sink.event(event);
    this.#open(kind, event);
  }

  #open(kind: string, last: PrEvent): void {
    this.#windows.set(kind, { last, more: 0, cancel: this.clock.after(WINDOW_MS, () => this.#end(kind)) });
  }

  #end(kind: string): void {
    const window = this.#windows.get(kind);
    if (!window) return;
    window.cancel();
    this.#windows.delete(kind);
    if (window.more === 0) return;
    // Told at this instant, not at the last one's: events come in the order of their times.
    const nowUs = this.clock.nowUs();
    const time = isoMicros(this.wall.of(nowUs));
    const note = `${window.last.note}, ${window.more} more in a second`;
    this.sink.inTurn(nowUs, () => this.sink.event({ ...window.last, time, count: window.more, note }));
    this.#open(kind, window.last); // a storm goes on being counted
  }

  /** Forgets what was being counted. */
  close(): void {
    for (const { cancel } of this.#windows.values()) cancel();
    this.#windows.clear();
  }
}
