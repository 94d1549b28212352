/**
 * Where a migration under way stands: by QEMU's events as they come, and by asking from time to time, which also feeds
 * the progress bar and finds out what a lost event would have told.
 *
 * @module
 */
import { QmpError } from "../../qmp/error.ts";
import type { MigrationInfo, Qemu } from "../../qmp/qemu.ts";
import type { Clock } from "../ports.ts";

/** The guest stays, or is back, on the source. QEMU 11 says `failing` before it resumes the guest. */
export const FAILED: readonly string[] = ["failed", "cancelled", "failing"];
/** Nothing more happens by itself. */
export const ENDED: readonly string[] = ["completed", "failed", "cancelled"];

const POLL_MS = 500;
/** The states a migration goes through, in this order; those that end it may follow any. */
const COURSE: readonly string[] = ["setup", "wait-unplug", "active", "pre-switchover", "device"];

/** Follows the migration of one source. */
export class MigrationWatch {
  #status = "setup";
  #errorText: string | null = null;
  #changed = Promise.withResolvers<void>();
  #forget: () => void;

  constructor(
    private readonly qemu: Qemu,
    private readonly clock: Clock,
    private readonly onProgress: (info: MigrationInfo) => void = () => {},
  ) {
    this.#forget = qemu.onEvent(({ event, data }) => {
      if (event === "MIGRATION" && typeof data.status === "string") this.#see(data.status);
    });
  }

  /** Its status as last seen. */
  get status(): string {
    return this.#status;
  }

  /** Why it failed, in QEMU's words, where it said so. */
  get errorText(): string | null {
    return this.#errorText;
  }

  /**
   * Waits until the migration has one of these states, `wake` settles, or `timeoutMs` has passed; gives the state it then
   * has. Rejects with QmpError when the connection is over; a QEMU that does not answer is waited for.
   */
  async reach(wanted: readonly string[], { wake, timeoutMs = Infinity }: {
    readonly wake?: Promise<unknown>;
    readonly timeoutMs?: number;
  } = {}): Promise<string> {
    const deadline = this.clock.now() + timeoutMs;
    let woken = false;
    const woke = wake?.then(() => woken = true, () => woken = true);
    while (!wanted.includes(this.#status) && !woken && this.clock.now() < deadline) {
      const { promise } = this.#changed;
      const over = this.qemu.client.ended;
      const pause = Math.min(POLL_MS, deadline - this.clock.now());
      await this.clock.sleep(pause, Promise.race([promise, over, ...woke ? [woke] : []]));
      if (wanted.includes(this.#status)) break;
      const failure = this.qemu.client.failure;
      if (failure) throw failure;
      if (!woken) await this.#poll(promise, woke);
    }
    if (FAILED.includes(this.#status) && this.#errorText === null) await this.#poll();
    return this.#status;
  }

  /** Stops listening. */
  end(): void {
    this.#forget();
  }

  /** Asks; whoever waits does not wait for the answer longer than for an event. */
  async #poll(...sooner: (Promise<unknown> | undefined)[]): Promise<void> {
    const answer = this.qemu.migration().then((info) => {
      this.#errorText = info.errorText ?? this.#errorText;
      if (info.status !== null) this.#see(info.status);
      this.onProgress(info);
    }).catch((error) => {
      if (!(error instanceof QmpError)) throw error; // a connection that is over is seen by whoever waits
    });
    await Promise.race([answer, ...sooner.filter((promise) => promise !== undefined)]);
  }

  #see(status: string): void {
    // An answer that was under way when an event came must not bring an older state back.
    const [before, now] = [COURSE.indexOf(this.#status), COURSE.indexOf(status)];
    if (status === this.#status || ENDED.includes(this.#status) || now >= 0 && now < before) return;
    this.#status = status;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
