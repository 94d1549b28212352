/**
 * The words of persistent reservations as types, and the six reservation types as a table.
 * Source: SPC-4, "Persistent reservations" model clause and "Persistent reservation type codes".
 *
 * @module
 */
import type { TransportId } from "./transport_id.ts";

/** Reservation type codes a device may hold. */
export type PrType = 1 | 3 | 5 | 6 | 7 | 8;

/** One reservation type: who holds it and who may use the medium. */
export interface PrTypeInfo {
  /** TYPE code: 1, 3, 5 to 8. */
  readonly type: PrType;
  /** Name as the standard has it. */
  readonly name: string;
  /** Short form used in tables: WE, EA, WE-RO, EA-RO, WE-AR, EA-AR. */
  readonly short: string;
  /** Every registrant is a holder, and READ RESERVATION shows key 0. */
  readonly allRegistrants: boolean;
  /** Registrants that do not hold may read and write all the same. */
  readonly registrantsHaveAccess: boolean;
  /** Strangers may not even read. */
  readonly exclusiveAccess: boolean;
}

/** All six types, in the order of their codes. */
export const PR_TYPES: readonly PrTypeInfo[] = [
  [1, "Write Exclusive", "WE", false, false, false],
  [3, "Exclusive Access", "EA", false, false, true],
  [5, "Write Exclusive, Registrants Only", "WE-RO", false, true, false],
  [6, "Exclusive Access, Registrants Only", "EA-RO", false, true, true],
  [7, "Write Exclusive, All Registrants", "WE-AR", true, true, false],
  [8, "Exclusive Access, All Registrants", "EA-AR", true, true, true],
].map(([type, name, short, allRegistrants, registrantsHaveAccess, exclusiveAccess]) =>
  ({ type, name, short, allRegistrants, registrantsHaveAccess, exclusiveAccess }) as PrTypeInfo
);

/** The table's row for a code, or undefined for obsolete and reserved codes. */
export function prTypeInfo(type: number): PrTypeInfo | undefined {
  return PR_TYPES.find((info) => info.type === type);
}

/** True for the six codes a RESERVE may carry. */
export function isPrType(type: number): type is PrType {
  return prTypeInfo(type) !== undefined;
}

/** One registration as the device shows it. */
export interface Registration {
  /** RESERVATION KEY; never 0 on a sane device. */
  readonly key: bigint;
  /** R_HOLDER: this nexus holds the reservation (types 7 and 8: every registrant does). */
  readonly holder: boolean;
  /** Relative target port identifier, `"all"` with ALL_TG_PT, `null` when the device does not tell (no READ FULL STATUS). */
  readonly relativeTargetPort: number | "all" | null;
  /** Who: the initiator port; `null` when the device does not tell. */
  readonly transportId: TransportId | null;
}

/** The reservation of a LUN. */
export interface Reservation {
  /** Key of the holder; 0 for types 7 and 8. */
  readonly key: bigint;
  /** Type code as read; anything but the six of {@link PR_TYPES} is a device's fault, and kept to be shown. */
  readonly type: number;
  /** Scope code as read; 0 (LU_SCOPE) on every sane device. */
  readonly scope: number;
}

/** Registrations and reservation of a LUN at one instant. */
export interface PrState {
  /** PRGENERATION: 32 bits, one more after every change of a registration; RESERVE and RELEASE leave it. */
  readonly generation: number;
  /** Null: nobody holds the LUN. */
  readonly reservation: Reservation | null;
  /** In the device's order. */
  readonly registrations: readonly Registration[];
}

/** Writes a key as everywhere in prmig: `0x` and 16 hex digits. */
export function formatKey(key: bigint): string {
  return "0x" + key.toString(16).padStart(16, "0");
}

/** Reads a key, with or without `0x` and leading zeros; `null` for anything but 1 to 16 hex digits. */
export function parseKey(text: string): bigint | null {
  const match = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text.trim());
  return match ? BigInt("0x" + match[1]) : null;
}
