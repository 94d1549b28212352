/**
 * One-time keys: eight bytes that begin with ASCII `prmg`, so that an operator and `prmig recover` know them on sight.
 *
 * The source registers itself under a commit token so that the destination can preempt exactly that nexus; the
 * destination takes a token of its own where the guest's key is shared and so addresses nobody in particular.
 *
 * @module
 */

/** ASCII "prmg", the first four bytes of every one-time key. */
const PREFIX = 0x70726d67n;

/** Four random bytes, as an unsigned number. */
export type Random32 = () => number;

/** Random32 from the runtime's cryptographic source. */
export const cryptoRandom: Random32 = () => crypto.getRandomValues(new Uint32Array(1))[0]!;

/** True for a key with the prefix of a one-time key. */
export function isToken(key: bigint): boolean {
  return key >> 32n === PREFIX;
}

/** A one-time key that is none of `taken`. */
export function makeToken(random: Random32, taken: readonly bigint[]): bigint {
  for (;;) {
    const token = (PREFIX << 32n) | BigInt(random() >>> 0);
    if (!taken.includes(token)) return token;
  }
}
