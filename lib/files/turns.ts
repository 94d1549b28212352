/**
 * First come, first served, within one process: who waits for the same thing gets it in order, or gives up in time.
 * Pure but for the clock.
 *
 * @module
 */

/** Waiters by name. */
export class Turns {
  readonly #waiting = new Map<string, (() => void)[]>();

  /**
   * Resolves with `true` when it is our turn; then {@link leave} must follow. Resolves with `false` when `deadline`
   * (milliseconds of `performance.now()`) came first.
   */
  enter(name: string, deadline: number): Promise<boolean> {
    const queue = this.#waiting.get(name);
    if (queue === undefined) {
      this.#waiting.set(name, []);
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const turn = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(turn), 1);
        resolve(false);
      }, Math.max(0, deadline - performance.now()));
      queue.push(turn);
    });
  }

  /** Passes the turn on. */
  leave(name: string): void {
    const next = this.#waiting.get(name)?.shift();
    if (next) next();
    else this.#waiting.delete(name);
  }
}
