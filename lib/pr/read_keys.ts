/**
 * READ KEYS data: the keys registered with this LUN, one for each registered I_T nexus.
 *
 * Pure: bytes in, records out. Source: SPC-4, "READ KEYS service action".
 *
 *   0 PRGENERATION u32 | 4 ADDITIONAL LENGTH u32 = 8 x keys | 8 keys, u64 each
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes } from "../bytes.ts";
import { Malformed } from "./malformed.ts";

/** What READ KEYS said. `truncated`: only `keys` arrived of `expected`; `neededBytes` would hold them all. */
export type ReadKeys =
  | { readonly kind: "complete"; readonly generation: number; readonly keys: readonly bigint[] }
  | {
    readonly kind: "truncated";
    readonly generation: number;
    readonly keys: readonly bigint[];
    readonly expected: number;
    readonly neededBytes: number;
  };

const HEADER_BYTES = 8;
const KEY_BYTES = 8;

/**
 * Decodes what was transferred: keys are taken from these bytes alone, whatever ADDITIONAL LENGTH promises.
 * Errors: `ShortBuffer` below the 8 bytes of the header; {@link Malformed} for a length that is no multiple of 8.
 */
export function decodeReadKeys(bytes: Uint8Array): ReadKeys {
  const reader = new BeReader(bytes);
  const generation = reader.u32(0, "PRGENERATION");
  const length = reader.u32(4, "ADDITIONAL LENGTH");
  if (length % KEY_BYTES !== 0) throw new Malformed("ADDITIONAL LENGTH", `${length} is no multiple of ${KEY_BYTES}`);
  const expected = length / KEY_BYTES;
  const received = Math.min(expected, Math.floor((bytes.length - HEADER_BYTES) / KEY_BYTES));
  const keys = Array.from({ length: received }, (_, i) => reader.u64(HEADER_BYTES + i * KEY_BYTES, "RESERVATION KEY"));
  if (received === expected) return { kind: "complete", generation, keys };
  return { kind: "truncated", generation, keys, expected, neededBytes: HEADER_BYTES + length };
}

/** Encodes the full answer; the device cuts it at the allocation length afterwards. `RangeError` for a value too large. */
export function encodeReadKeys({ generation, keys }: { generation: number; keys: readonly bigint[] }): Bytes {
  const out = new BeWriter(HEADER_BYTES + keys.length * KEY_BYTES).u32(0, generation).u32(4, keys.length * KEY_BYTES);
  keys.forEach((key, i) => out.u64(HEADER_BYTES + i * KEY_BYTES, key));
  return out.bytes;
}
