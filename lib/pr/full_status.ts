/**
 * READ FULL STATUS data: who is registered with this LUN, and who holds it. The one answer that is a whole snapshot.
 *
 * Pure: bytes in, records out. Source: SPC-4, "READ FULL STATUS service action".
 *
 *   0 PRGENERATION u32 | 4 ADDITIONAL LENGTH u32 | 8 descriptors, 24 bytes + TransportID each:
 *     0 key u64 | 12 ALL_TG_PT, R_HOLDER | 13 SCOPE, TYPE | 18 RELATIVE TARGET PORT u16 | 20 TransportID length u32
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes } from "../bytes.ts";
import { packScopeType, type ScopeType, unpackScopeType } from "./scope_type.ts";
import { encodeTransportId, readTransportId, type TransportId } from "./transport_id.ts";
import type { Registration } from "./types.ts";

/** A registration as READ FULL STATUS shows it: nothing about it is unknown. */
export interface FullStatusEntry extends Registration {
  /** Relative target port identifier; `"all"` with ALL_TG_PT. */
  readonly relativeTargetPort: number | "all";
  /** The initiator port. */
  readonly transportId: TransportId;
  /** Scope and type of the reservation; `null` without R_HOLDER, where the standard leaves them undefined. */
  readonly held: ScopeType | null;
}

/** What READ FULL STATUS said. `truncated`: only `registrations` arrived whole; `neededBytes` is the least to ask for. */
export type FullStatus =
  | { readonly kind: "complete"; readonly generation: number; readonly registrations: readonly FullStatusEntry[] }
  | {
    readonly kind: "truncated";
    readonly generation: number;
    readonly registrations: readonly FullStatusEntry[];
    readonly neededBytes: number;
  };

const HEADER_BYTES = 8;
const DESCRIPTOR_BYTES = 24;
const R_HOLDER = 0x01;
const ALL_TG_PT = 0x02;

/**
 * Decodes what was transferred, and nothing beyond it. A descriptor whose length points outside the data counts as cut
 * off, even if ADDITIONAL LENGTH calls the data whole. Errors: `ShortBuffer` below the 8 bytes of the header.
 */
export function decodeFullStatus(bytes: Uint8Array): FullStatus {
  const head = new BeReader(bytes);
  const generation = head.u32(0, "PRGENERATION");
  const promised = HEADER_BYTES + head.u32(4, "ADDITIONAL LENGTH");
  const body = new BeReader(bytes.subarray(0, promised)); // bytes past the promise are not data
  const registrations: FullStatusEntry[] = [];
  const cut = (neededBytes: number): FullStatus => ({ kind: "truncated", generation, registrations, neededBytes });
  let at = HEADER_BYTES;
  while (at < body.length) {
    if (at + DESCRIPTOR_BYTES > body.length) return cut(Math.max(promised, at + DESCRIPTOR_BYTES));
    const end = at + DESCRIPTOR_BYTES + body.u32(at + 20, "ADDITIONAL DESCRIPTOR LENGTH");
    if (end > body.length) return cut(Math.max(promised, end));
    registrations.push(decodeDescriptor(body, at, end));
    at = end;
  }
  return at < promised ? cut(promised) : { kind: "complete", generation, registrations };
}

function decodeDescriptor(body: BeReader, at: number, end: number): FullStatusEntry {
  const flags = body.u8(at + 12, "ALL_TG_PT, R_HOLDER");
  const holder = (flags & R_HOLDER) !== 0;
  return {
    key: body.u64(at, "RESERVATION KEY"),
    holder,
    held: holder ? unpackScopeType(body.u8(at + 13, "SCOPE, TYPE")) : null,
    relativeTargetPort: (flags & ALL_TG_PT) !== 0 ? "all" : body.u16(at + 18, "RELATIVE TARGET PORT IDENTIFIER"),
    transportId: readTransportId(body.bytes.subarray(at + DESCRIPTOR_BYTES, end)),
  };
}

/** Encodes the full answer; the device cuts it at the allocation length afterwards. `RangeError` for what does not fit. */
export function encodeFullStatus(
  { generation, registrations }: { generation: number; registrations: readonly FullStatusEntry[] },
): Bytes {
  const ids = registrations.map(({ transportId }) => encodeTransportId(transportId));
  const length = ids.reduce((sum, id) => sum + DESCRIPTOR_BYTES + id.length, 0);
  const out = new BeWriter(HEADER_BYTES + length).u32(0, generation).u32(4, length);
  let at = HEADER_BYTES;
  registrations.forEach(({ key, holder, held, relativeTargetPort: port }, i) => {
    const id = ids[i]!;
    out.u64(at, key)
      .u8(at + 12, (holder ? R_HOLDER : 0) | (port === "all" ? ALL_TG_PT : 0))
      .u8(at + 13, holder && held ? packScopeType(held) : 0)
      .u16(at + 18, port === "all" ? 0 : port)
      .u32(at + 20, id.length)
      .put(at + DESCRIPTOR_BYTES, id);
    at += DESCRIPTOR_BYTES + id.length;
  });
  return out.bytes;
}
