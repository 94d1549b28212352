/**
 * The source's right to commit: until when the destination is sure to stay.
 *
 * A destination that left by itself while the source commits would take the guest's key off the LUN, which is what
 * fencing looks like. So the source commits only within the window, counted from a moment that lies before the
 * destination began to count it: the sending of the offer, or of an `alive` that the destination has answered.
 *
 * @module
 */
import { TurnBack } from "./reasons.ts";
import type { Clock, Link } from "./ports.ts";

/** How long a destination stays, counted from the offer or the last `alive` it got: surely longer than the window. */
export function stayMs({ windowMs }: { readonly windowMs: number }): number {
  return windowMs * 1.25 + 1000;
}

/** Kept by the source of one hand-over. */
export class Lease {
  #sentAt: number;
  #pending = new Map<number, number>();
  #n = 0;
  #askedAt: number;

  /** `offeredAt`: before the first byte of the offer left, on the clock of the hand-over. */
  constructor(readonly windowMs: number, offeredAt: number) {
    this.#sentAt = offeredAt;
    this.#askedAt = offeredAt;
  }

  /** Sends an `alive` when a quarter of the window has passed since the last. */
  async renewWhenDue(link: Link, clock: Clock): Promise<void> {
    if (!link.duplex || clock.now() - this.#askedAt < this.windowMs / 4) return;
    await this.#ask(link, clock);
  }

  /** The destination answered `alive` number `n`. */
  answered(n: number): void {
    const sentAt = this.#pending.get(n);
    if (sentAt === undefined) return;
    this.#sentAt = Math.max(this.#sentAt, sentAt);
    for (const old of [...this.#pending.keys()]) if (old <= n) this.#pending.delete(old);
  }

  /** Returns inside the window, asking once more if need be. Throws TurnBack when the destination does not answer. */
  async ensure(link: Link, clock: Clock): Promise<void> {
    if (this.#holds(clock)) return;
    if (link.duplex && await this.#ask(link, clock)) {
      while (!this.#holds(clock)) {
        const message = await link.next(this.windowMs);
        if (message.record === "alive") this.answered(message.n);
        else if (message.record === "quiet" || message.record === "closed") break;
        else if (message.record === "refused" || message.record === "withdraw") break;
      }
    }
    if (!this.#holds(clock)) {
      throw new TurnBack("timeout", "the destination may have left: the time to commit has passed");
    }
  }

  #holds(clock: Clock): boolean {
    return clock.now() < this.#sentAt + this.windowMs;
  }

  async #ask(link: Link, clock: Clock): Promise<boolean> {
    const n = ++this.#n;
    this.#askedAt = clock.now();
    this.#pending.set(n, this.#askedAt);
    return await link.send({ record: "alive", n });
  }
}
