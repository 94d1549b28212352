/**
 * READ RESERVATION data: the reservation, with the key it is held under.
 *
 * Pure: bytes in, records out. Source: SPC-4, "READ RESERVATION service action".
 *
 *   0 PRGENERATION u32 | 4 ADDITIONAL LENGTH u32: 0 (none) or 10h | 8 RESERVATION KEY u64 | 21 SCOPE, TYPE
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes } from "../bytes.ts";
import { packScopeType, unpackScopeType } from "./scope_type.ts";
import type { Reservation } from "./types.ts";

/** What READ RESERVATION said. `truncated`: there is a reservation, and not all of it arrived. */
export type ReadReservation =
  | { readonly kind: "complete"; readonly generation: number; readonly reservation: Reservation | null }
  | { readonly kind: "truncated"; readonly generation: number; readonly neededBytes: number };

const HEADER_BYTES = 8;
const RESERVATION_BYTES = 16;
/** Allocation length that holds any answer. */
export const READ_RESERVATION_BYTES: number = HEADER_BYTES + RESERVATION_BYTES;

/** Errors: `ShortBuffer` below the 8 bytes of the header, or when ADDITIONAL LENGTH leaves no room for a reservation. */
export function decodeReadReservation(bytes: Uint8Array): ReadReservation {
  const head = new BeReader(bytes);
  const generation = head.u32(0, "PRGENERATION");
  const end = HEADER_BYTES + head.u32(4, "ADDITIONAL LENGTH");
  if (end === HEADER_BYTES) return { kind: "complete", generation, reservation: null };
  if (bytes.length < Math.min(end, READ_RESERVATION_BYTES)) return { kind: "truncated", generation, neededBytes: end };
  const body = new BeReader(bytes.subarray(0, end));
  body.u16(22, "the last bytes of a reservation");
  const reservation = { key: body.u64(8, "RESERVATION KEY"), ...unpackScopeType(body.u8(21, "SCOPE, TYPE")) };
  return { kind: "complete", generation, reservation };
}

/** Encodes the full answer: 8 bytes without a reservation, 24 with one. `RangeError` for a value that does not fit. */
export function encodeReadReservation(
  { generation, reservation }: { generation: number; reservation: Reservation | null },
): Bytes {
  if (!reservation) return new BeWriter(HEADER_BYTES).u32(0, generation).bytes;
  return new BeWriter(READ_RESERVATION_BYTES)
    .u32(0, generation).u32(4, RESERVATION_BYTES).u64(8, reservation.key).u8(21, packScopeType(reservation)).bytes;
}
