/**
 * Events on their way to disk: all of a moment are written at once, when no client waits for anything.
 *
 *     add ─> queue ─ the runtime's next turn, some 10 ms at most under load ─> write
 *
 * A guest's command has been answered by then, so nobody waits for a disk; a helper that is killed loses the events of that
 * last moment, as it may lose any that is told after the answer.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";

/** So many are written without waiting for the turn. */
const MOST = 256;

/** A queue of events. */
export class EventQueue {
  #waiting: PrEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `write` gets each event once, in order; it must not throw. */
  constructor(private readonly write: (events: readonly PrEvent[]) => void) {}

  /** Has an event written soon. */
  add(event: PrEvent): void {
    const waiting = this.#waiting.push(event);
    if (waiting >= MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  /** Has all of them written now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length > 0) this.write(events);
  }
}
