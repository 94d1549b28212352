/**
 * Reads a reply of the pr-helper protocol as a client does, before any client does. Pure.
 *
 * It shares no code with the encoder but the sizes in the protocol's text: a second pair of eyes.
 *
 * @module
 */
import { BeReader, equalBytes, ReadBackError } from "../bytes.ts";

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
  const sense = reader.slice(8, 96, "sense");
  const data = reader.slice(104, size, "payload");
  const allocation = new BeReader(cdb).u16(7, "allocation length");
  const may = reader.bytes.length === 104 + size && (size === 0 || (cdb[0] === 0x5e && status === 0)) &&
    size <= allocation && size <= 8192;
  if (!may) throw new ReadBackError(`a reply with ${size} bytes of payload would end the client of ${cdb[0]}`);
  if (status !== meant.status || !isPadded(sense, meant.sense) || !equalBytes(data, meant.data)) {
    throw new ReadBackError("a reply does not read as it was meant");
  }
}

/** True when `sense` begins with what was meant, and is zero from there on. */
function isPadded(sense: Uint8Array, meant: Uint8Array): boolean {
  for (let i = 0; i < sense.length; i++) if (sense[i] !== (meant[i] ?? 0)) return false;
  return meant.length <= sense.length;
}
