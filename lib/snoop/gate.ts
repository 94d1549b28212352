/**
 * A gate that so many may be behind at a time: first come, first served, and nobody waits longer than he is ready to.
 *
 * Pure but for the clock and promises. A virtual machine's stop waits for its commands, so a helper must rather answer BUSY
 * than hold one back: that is what a refusal of this gate becomes.
 *
 * @module
 */

/** At most `size` behind it. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly size: number) {
    this.#free = size;
  }

  /** How many are behind it now. */
  get taken(): number {
    return this.size - this.#free;
  }

  /** Inside at once, and then {@link leave} must follow; `false` when all places are taken. */
  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Resolves with `true` once inside, and then {@link leave} must follow; with `false` when `patienceMs` are over. */
  enter(patienceMs: number): Promise<boolean> {
    if (this.tryEnter()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const admit = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1);
        resolve(false);
      }, patienceMs);
      this.#waiting.push(admit);
    });
  }

  /** Lets the next one in. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
