/**
 * A counting semaphore, first come, first served. Pure but for promises.
 *
 * @module
 */

/** At most `size` holders at a time. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly size: number) {
    this.#free = size;
  }

  /** How many hold a slot now. */
  get taken(): number {
    return this.size - this.#free;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` once a slot is free; gives the slot back however it ends. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next(); // the slot goes over without ever being free, so nobody can jump the queue
      else this.#free++;
    }
  }
}
