/**
 * The link of a hand-over that is part of a guest's migration: bad news is held back from the hand-over until the guest is
 * where it belongs, and the last word to the destination until the guest runs there.
 *
 *   guarding    a destination that refuses, withdraws or goes silent becomes `trouble`; the hand-over hears nothing of it,
 *               stays prepared, and the migration is cancelled first
 *   taking      the LUN decides: a destination that is not heard any more may still take
 *   taken       `verified`, after which nothing can be undone selectively, waits for {@link HeldLink.release}
 *
 * @module
 */
import type { Message } from "../messages.ts";
import type { Clock, Link, Silence } from "../ports.ts";

/** Words that make a source go back. */
const BAD: readonly string[] = ["refused", "withdraw", "closed"];

/** A link between the real one and a source. */
export class HeldLink implements Link {
  #guarding = false;
  /** The gate opens: what is still being listened for belongs to the time before. */
  #forgetNext = false;
  #held: Message | Silence | null = null;
  #trouble = Promise.withResolvers<string>();
  #taken = Promise.withResolvers<void>();
  #fate = Promise.withResolvers<boolean>();

  constructor(private readonly link: Link, private readonly clock: Clock) {}

  get duplex(): boolean {
    return this.link.duplex;
  }

  /** Resolves with what is wrong while guarding; pending for ever otherwise. */
  get trouble(): Promise<string> {
    return this.#trouble.promise;
  }

  /** Resolves when the source has read that the destination holds. */
  get taken(): Promise<void> {
    return this.#taken.promise;
  }

  /** From now on bad news is held back. */
  guard(): void {
    this.#guarding = true;
  }

  /** The hand-over may hear everything again; `forget` what was held back where it is of no consequence any more. */
  unguard(forget: boolean): void {
    this.#guarding = false;
    if (forget) this.#held = null;
    this.#forgetNext = forget;
  }

  /** Lets the held last word go (`true`), or keeps it for ever: the move will be undone. */
  release(final: boolean): void {
    this.#fate.resolve(final);
  }

  async send(message: Message): Promise<boolean> {
    if (message.record === "verified") {
      this.#taken.resolve();
      if (!await this.#fate.promise) return false;
    }
    return await this.link.send(message);
  }

  async next(waitMs: number, wake?: Promise<unknown>): Promise<Message | Silence> {
    if (this.#held !== null) {
      if (this.#guarding) {
        await this.clock.sleep(waitMs, wake);
        return { record: "quiet" };
      }
      const held = this.#held;
      this.#held = null;
      return held;
    }
    const heardBefore = this.#guarding;
    const heard = await this.link.next(waitMs, wake);
    if (!BAD.includes(heard.record)) return heard;
    if (heardBefore && this.#forgetNext) return { record: "quiet" };
    if (!this.#guarding) return heard;
    this.#held = heard;
    this.#trouble.resolve(
      "reason" in heard ? `the destination gave up: ${heard.reason}` : "the connection to prmig recv ended",
    );
    return { record: "quiet" };
  }
}
