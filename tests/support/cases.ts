/**
 * How much random testing: little at every turn, much in CI. The seed is told on failure and taken from PRMIG_SEED.
 *
 * @module
 */
import fc from "fast-check";

/** Cases of each property. */
export const CASES = Deno.env.get("CI") ? 100_000 : 5_000;

/**
 * Seed of this run: PRMIG_SEED to repeat a failure, otherwise another one each time; the same each time in CI, where a
 * change is judged and not the luck of the day.
 */
export const SEED = Number(Deno.env.get("PRMIG_SEED") ?? (Deno.env.get("CI") ? 20261123 : Date.now() % 0x7fff_ffff));

/** Checks a property of fast-check {@link CASES} times; the report names the seed and the shrunk counter-example. */
export function holds<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void, numRuns = CASES): void {
  fc.assert(fc.property(arbitrary, predicate), { seed: SEED, numRuns });
}
