/**
 * Events on their way to disk: one that comes alone is written at once, those of a busy moment together.
 *
 *     add ─ nothing written for 10 ms, or the loop pauses ─> write
 *         └ else ─> queue ─ the loop's next pause, 10 ms at most ─> write
 *
 * A guest's command has been answered by then. A helper that is killed loses the events of that last moment, as it may
 * lose any that is told after the answer.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";

/** So many are written without waiting for the pause. */
const MOST = 256;
/** Milliseconds without a write after which an event counts as one that comes alone. */
const QUIET_MS = 10;

/** A queue of events. */
export class EventQueue {
  #waiting: PrEvent[] = [];
  /** When something was written last. */
  #wroteMs = -Infinity;

  /**
   * `write` gets each event once, in order; it must not throw. `soon`: is {@link flush} about to be called? A timer of our own
   * in its place would cost 1.3 µs an event. `nowMs`: the time, on any clock that never goes back.
   */
  constructor(
    private readonly write: (events: readonly PrEvent[]) => void,
    private readonly soon: () => boolean,
    private readonly nowMs: () => number,
  ) {}

  /** Has an event written, now or soon. */
  add(event: PrEvent): void {
    const waiting = this.#waiting.push(event);
    const alone = waiting === 1 && this.nowMs() - this.#wroteMs > QUIET_MS;
    if (alone || waiting >= MOST || !this.soon()) this.flush();
  }

  /** Has all of them written now. */
  flush(): void {
    const events = this.#waiting;
    if (events.length === 0) return;
    this.#waiting = [];
    this.#wroteMs = this.nowMs();
    this.write(events);
  }
}
