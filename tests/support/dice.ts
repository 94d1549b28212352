/**
 * A generator with a memory of 32 bits: the same numbers on every run.
 *
 * @module
 */

/** A function that gives natural numbers below its argument. */
export function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 0x1_0000_0000 * below);
  };
}
