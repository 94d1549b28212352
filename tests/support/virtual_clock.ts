/**
 * Time that passes only when everybody waits: a test of half-minute time-outs takes milliseconds and always the same course.
 *
 * @module
 */
import type { Clock } from "../../lib/migrate/ports.ts";

/** A clock for any number of sides in one process. */
export class VirtualClock implements Clock {
  #now = 0;
  #sleepers: { at: number; wake: () => void }[] = [];
  #pumping = false;
  #busy = new Set<Promise<unknown>>();

  /** Lets no time pass before `work` has settled: for what is done outside of this thread, such as a digest. */
  async whileBusy<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work);
    try {
      return await work;
    } finally {
      this.#busy.delete(work);
    }
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, wake?: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      wake?.finally(() => {
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
        resolve();
      });
      this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#sleepers.length > 0) {
      await quiet();
      while (this.#busy.size > 0) {
        await Promise.allSettled(this.#busy);
        await quiet();
      }
      this.#sleepers.sort((a, b) => a.at - b.at);
      const next = this.#sleepers.shift();
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#pumping = false;
  }
}

/** Resolves when nothing in this process can go on without time passing (promises alone; no I/O). */
async function quiet(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(null);
    await promise;
  }
}
