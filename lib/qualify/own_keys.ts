/**
 * Every key the scenarios ever register, so that what an interrupted run left behind is known for certain. Pure.
 *
 * They begin with ASCII "prmg", as the one-time keys of a hand-over do, and are fixed: a random one-time key is not
 * taken for one of them.
 *
 * @module
 */
import { K1, K2, K3, K9, PLAYERS, X, Y } from "./scenario.ts";

/** One key a player while they introduce themselves: this one, and those after it. */
export const INTRODUCTION = 0x7072_6d67_0000_0e00n;

/** The key under which somebody removes what another nexus left behind. */
export const SWEEPER = 0x7072_6d67_0000_0e0fn;

const OWN: ReadonlySet<bigint> = new Set([
  K1,
  K2,
  K3,
  K9,
  X,
  Y,
  SWEEPER,
  ...PLAYERS.map((_, i) => INTRODUCTION + BigInt(i)),
]);

/** Whether a key is one that only scenarios register. */
export function isScenarioKey(key: bigint): boolean {
  return OWN.has(key);
}
