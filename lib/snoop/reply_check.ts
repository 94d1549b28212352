/**
 * Reads a reply of the pr-helper protocol as a client does, before any client does. Pure.
 *
 * It shares no code with the encoder but the sizes in the protocol's text: a second pair of eyes.
 *
 * @module
 */
import { BeReader, ReadBackError } from "../bytes.ts";

/** What a reply is meant to say. */
export interface MeantReply {
  readonly status: number;
  readonly sense: Uint8Array;
  readonly data: Uint8Array;
}

/**
 * Throws `ReadBackError` unless `reply` says what is meant, and nothing on which a client of `cdb` would stumble: a payload
 * above the allocation length, any payload for a PR OUT or beside a status that is not GOOD, sense that was not zeroed.
 */
export function assertReads(reply: Uint8Array, cdb: Uint8Array, meant: MeantReply): void {
  const reader = new BeReader(reply);
  const status = reader.u32(0, "status");
  const size = reader.u32(4, "payload size");
  const allocation = new BeReader(cdb).u16(7, "allocation length");
  const may = reply.length === 104 + size && (size === 0 || (cdb[0] === 0x5e && status === 0)) &&
    size <= allocation && size <= 8192;
  if (!may) throw new ReadBackError(`a reply with ${size} bytes of payload would end the client of ${cdb[0]}`);
  // In place: copies of the parts to compare cost 0.7 µs a reply.
  const { sense, data } = meant;
  const says = status === meant.status && sense.length <= 96 && data.length === size &&
    holds(reply, 8, sense) && isZero(reply, 8 + sense.length, 104) && holds(reply, 104, data);
  if (!says) throw new ReadBackError("a reply does not read as it was meant");
}

/** True when `part` lies in `bytes` from offset `at` on. */
function holds(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
