/**
 * Events on their way to disk: those of a busy moment together.
 *
 *     add ─ the loop pauses ──────────> write
 *         └ things happen ─> queue ─ the loop's next pause, 2 ms after the last of them, 10 ms at most ─> write
 *
 * A guest's command has been answered by then. A helper that is killed loses the events of that last moment, as it may
 * lose any that is told after the answer.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";

/** So many are written without waiting for the pause. */
const MOST = 256;

/** A queue of events. */
export class EventQueue {
  #waiting: PrEvent[] = [];

  /**
   * `write` gets each event once, in order; it must not throw. `soon`: is {@link flush} about to be called? A timer of our own
   * in its place would cost 1.3 µs an event.
   */
  constructor(
    private readonly write: (events: readonly PrEvent[]) => void,
    private readonly soon: () => boolean,
  ) {}

  /** Has an event written, now or soon. */
  add(event: PrEvent): void {
    if (this.#waiting.push(event) >= MOST || !this.soon()) this.flush();
  }

  /** Has all of them written now. */
  flush(): void {
    const events = this.#waiting;
    if (events.length === 0) return;
    this.#waiting = [];
    this.write(events);
  }
}
