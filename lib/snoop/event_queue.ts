/**
 * Events on their way to disk: one that comes alone is written at once, those of a busy moment together.
 *
 *     add ─ nothing written for 10 ms ─> write
 *         └ else ─> queue ─ the runtime's next turn, some 10 ms at most ─> write
 *
 * A guest's command has been answered by then. A helper that is killed loses the events of that last moment, as it may
 * lose any that is told after the answer.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";

/** So many are written without waiting for the turn. */
const MOST = 256;
/** Milliseconds without a write after which an event counts as one that comes alone. */
const QUIET_MS = 10;

/** A queue of events. */
export class EventQueue {
  #waiting: PrEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** `performance.now()` of the last write. */
  #wroteAt = -Infinity;

  /** `write` gets each event once, in order; it must not throw. */
  constructor(private readonly write: (events: readonly PrEvent[]) => void) {}

  /** Has an event written, now or soon. */
  add(event: PrEvent): void {
    const waiting = this.#waiting.push(event);
    const alone = waiting === 1 && performance.now() - this.#wroteAt > QUIET_MS;
    if (alone || waiting >= MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  /** Has all of them written now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length === 0) return;
    this.#wroteAt = performance.now();
    this.write(events);
  }
}
