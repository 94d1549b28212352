/**
 * CLOCK_MONOTONIC instants as instants of the wall clock: one difference for as long as nobody sets the wall clock.
 *
 * Two clocks cannot be read at once, and the wall clock may tick coarsely: a difference taken for each event would put
 * events that are less than that error apart in a wrong order. Both clocks run at the same, adjusted rate, so a
 * difference stays true until the wall clock is set, or the machine is suspended.
 *
 * @module
 */

/** The two clocks, in microseconds: CLOCK_MONOTONIC, and since 1970. */
export interface TwoClocks {
  readonly nowUs: () => number;
  readonly wallUs: () => number;
}

/** The narrowest of so many tries is taken: between the two clocks' readings the program may have been held up. */
const TRIES = 8;
/** The difference is looked at again this often, and given up when it is wrong by more than that. */
const CHECK_EVERY_US = 1_000_000, TOLERANCE_US = 10_000;

/** Turns the stamps of one run into wall-clock time, in the same order. */
export class WallTime {
  #offsetUs: number | null = null;
  #checkedUs = -Infinity;

  constructor(private readonly clocks: TwoClocks) {}

  /** Microseconds since 1970 of an instant of CLOCK_MONOTONIC. */
  of(monotonicUs: number): number {
    const nowUs = this.clocks.nowUs();
    if (this.#offsetUs === null) this.#offsetUs = this.#measure();
    else if (nowUs - this.#checkedUs >= CHECK_EVERY_US) this.#check(this.#offsetUs);
    else return monotonicUs + this.#offsetUs;
    this.#checkedUs = nowUs;
    return monotonicUs + this.#offsetUs;
  }

  #check(offsetUs: number): void {
    const { least, most } = this.#bounds();
    if (offsetUs < least - TOLERANCE_US || offsetUs > most + TOLERANCE_US) this.#offsetUs = this.#measure();
  }

  #measure(): number {
    const tries = Array.from({ length: TRIES }, () => this.#bounds());
    const { least, most } = tries.reduce((best, next) => next.most - next.least < best.most - best.least ? next : best);
    return Math.round((least + most) / 2);
  }

  /** The wall clock was read between the two readings of the other. */
  #bounds(): { least: number; most: number } {
    const beforeUs = this.clocks.nowUs();
    const wallUs = this.clocks.wallUs();
    const afterUs = this.clocks.nowUs();
    return { least: wallUs - afterUs, most: wallUs - beforeUs };
  }
}
