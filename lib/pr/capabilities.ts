/**
 * REPORT CAPABILITIES data: what this LUN can do with persistent reservations, and whether they survive power loss now.
 *
 * Pure: bytes in, records out. Source: SPC-4, "REPORT CAPABILITIES service action".
 *
 *   0 LENGTH u16 = 8 | 2 RLR_C . . CRH SIP_C ATP_C . PTPL_C | 3 TMV, ALLOW COMMANDS, PTPL_A | 4-5 type mask
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes } from "../bytes.ts";
import { PR_TYPES, type PrType } from "./types.ts";

/** Capabilities of a LUN, by the names `dump --json` uses. */
export interface Capabilities {
  /** PTPL_C: registrations can persist through power loss. */
  readonly ptplCapable: boolean;
  /** PTPL_A: they would, now. The last register-type command of any nexus decided it. */
  readonly ptplActive: boolean;
  /** ATP_C: ALL_TG_PT is supported. */
  readonly allTargetPorts: boolean;
  /** SIP_C: SPEC_I_PT is supported. */
  readonly specifyInitiatorPorts: boolean;
  /** Types that may be reserved, ascending; all six when the device gives no valid mask. */
  readonly types: readonly PrType[];
  /** RLR_C: REPLACE LOST RESERVATION is supported. */
  readonly replaceLost: boolean;
  /** CRH: RESERVE and RELEASE of SPC-2 are tolerated from those who have access. */
  readonly compatibleReservationHandling: boolean;
  /** ALLOW COMMANDS, 0..7: which harmless commands pass through types 1 and 3. */
  readonly allowCommands: number;
  /** TMV: the type mask means something. */
  readonly typeMaskValid: boolean;
}

/** What REPORT CAPABILITIES said. */
export type ReportCapabilities =
  | { readonly kind: "complete"; readonly capabilities: Capabilities }
  | { readonly kind: "truncated"; readonly neededBytes: number };

/** Allocation length that holds the answer. */
export const CAPABILITIES_BYTES = 8;

/** Bit of each type in the mask, bytes 4 and 5 taken as one u16. */
const MASK_BIT: Readonly<Record<PrType, number>> = {
  7: 0x8000,
  6: 0x4000,
  5: 0x2000,
  3: 0x0800,
  1: 0x0200,
  8: 0x0001,
};

/** Errors: `ShortBuffer` below the 2 bytes of LENGTH, or when LENGTH leaves no room for the type mask. */
export function decodeCapabilities(bytes: Uint8Array): ReportCapabilities {
  const length = new BeReader(bytes).u16(0, "LENGTH");
  if (bytes.length < Math.min(length, CAPABILITIES_BYTES)) return { kind: "truncated", neededBytes: length };
  const body = new BeReader(bytes.subarray(0, length));
  const can = body.u8(2, "capability bits");
  const now = body.u8(3, "TMV, ALLOW COMMANDS, PTPL_A");
  const mask = body.u16(4, "PERSISTENT RESERVATION TYPE MASK");
  const typeMaskValid = (now & 0x80) !== 0;
  const capabilities = {
    ptplCapable: (can & 0x01) !== 0,
    ptplActive: (now & 0x01) !== 0,
    allTargetPorts: (can & 0x04) !== 0,
    specifyInitiatorPorts: (can & 0x08) !== 0,
    types: PR_TYPES.map(({ type }) => type).filter((type) => !typeMaskValid || (mask & MASK_BIT[type]) !== 0),
    replaceLost: (can & 0x80) !== 0,
    compatibleReservationHandling: (can & 0x10) !== 0,
    allowCommands: (now >> 4) & 0x07,
    typeMaskValid,
  };
  return { kind: "complete", capabilities };
}

/** Encodes the 8 bytes. `RangeError` when ALLOW COMMANDS is not in 0..7. */
export function encodeCapabilities(c: Capabilities): Bytes {
  if (c.allowCommands < 0 || c.allowCommands > 7) throw new RangeError(`ALLOW COMMANDS ${c.allowCommands} not in 0..7`);
  const bit = (on: boolean, mask: number): number => (on ? mask : 0);
  const can = bit(c.replaceLost, 0x80) | bit(c.compatibleReservationHandling, 0x10) |
    bit(c.specifyInitiatorPorts, 0x08) | bit(c.allTargetPorts, 0x04) | bit(c.ptplCapable, 0x01);
  const now = bit(c.typeMaskValid, 0x80) | (c.allowCommands << 4) | bit(c.ptplActive, 0x01);
  const mask = c.typeMaskValid ? c.types.reduce((bits, type) => bits | MASK_BIT[type], 0) : 0;
  return new BeWriter(CAPABILITIES_BYTES).u16(0, CAPABILITIES_BYTES).u8(2, can).u8(3, now).u16(4, mask).bytes;
}
