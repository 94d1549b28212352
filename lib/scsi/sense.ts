/**
 * Sense data: why a command ended in CHECK CONDITION. Both formats, however short they were cut.
 *
 * Pure. Source: SPC-4, "Sense data".
 *
 *   fixed       0 response code 70h/71h | 2 SENSE KEY | 7 additional length | 12 ASC | 13 ASCQ | 15-17 key specific
 *   descriptor  0 response code 72h/73h | 1 SENSE KEY | 2 ASC | 3 ASCQ | 7 additional length | 8.. descriptors
 *
 * @module
 */
import { BeWriter, type Bytes } from "../bytes.ts";
import { ascName, SENSE_KEY, SENSE_KEY_NAMES } from "./asc.ts";

/** Where in the CDB or the parameter list a target found the field it refused. */
export interface FieldPointer {
  /** `true`: a byte of the CDB; `false`: a byte of the parameter list. */
  readonly inCdb: boolean;
  /** Offset of the (first) byte of the field. */
  readonly byte: number;
  /** Most significant bit of the field, when the target tells. */
  readonly bit: number | null;
}

/** Decoded sense data. A field that was cut off is 0. */
export interface Sense {
  /** How the bytes were laid out: response codes 70h, 71h or 72h, 73h. */
  readonly format: "fixed" | "descriptor";
  /** The sense tells of an earlier command, not of this one (response codes 71h, 73h). */
  readonly deferred: boolean;
  /** SENSE KEY, 0..15. */
  readonly key: number;
  /** ADDITIONAL SENSE CODE. */
  readonly asc: number;
  /** ADDITIONAL SENSE CODE QUALIFIER. */
  readonly ascq: number;
  /** Only with ILLEGAL REQUEST, and only when the target points. */
  readonly fieldPointer?: FieldPointer;
}

const FIXED_BYTES = 18;
const DESCRIPTOR_HEADER_BYTES = 8;
const KEY_SPECIFIC_DESCRIPTOR = 0x02;

/** Decodes sense data; `null` for bytes that are none (empty, vendor specific, too short for a sense key). */
export function decodeSense(bytes: Uint8Array): Sense | null {
  switch ((bytes[0] ?? 0) & 0x7f) {
    case 0x70:
      return decodeFixed(bytes, false);
    case 0x71:
      return decodeFixed(bytes, true);
    case 0x72:
      return decodeDescriptor(bytes, false);
    case 0x73:
      return decodeDescriptor(bytes, true);
    default:
      return null;
  }
}

function decodeFixed(bytes: Uint8Array, deferred: boolean): Sense | null {
  const keyByte = bytes[2];
  if (keyByte === undefined) return null;
  // QEMU hands over 8 bytes of fixed sense: what lies beyond the bytes at hand, or beyond ADDITIONAL LENGTH, reads as 0.
  const valid = bytes.subarray(0, DESCRIPTOR_HEADER_BYTES + (bytes[7] ?? 0));
  const key = keyByte & 0x0f;
  const sense = { format: "fixed", deferred, key, asc: valid[12] ?? 0, ascq: valid[13] ?? 0 } as const;
  return withPointer(sense, valid.subarray(15, FIXED_BYTES));
}

function decodeDescriptor(bytes: Uint8Array, deferred: boolean): Sense | null {
  const keyByte = bytes[1];
  if (keyByte === undefined) return null;
  const valid = bytes.subarray(0, DESCRIPTOR_HEADER_BYTES + (bytes[7] ?? 0));
  const key = keyByte & 0x0f;
  const sense = { format: "descriptor", deferred, key, asc: valid[2] ?? 0, ascq: valid[3] ?? 0 } as const;
  for (let at = DESCRIPTOR_HEADER_BYTES; at + 2 <= valid.length; at += 2 + valid[at + 1]!) {
    if (valid[at] === KEY_SPECIFIC_DESCRIPTOR && valid[at + 1] === 6) {
      return withPointer(sense, valid.subarray(at + 4, at + 7));
    }
  }
  return sense;
}

/** Adds the field pointer of three sense-key specific bytes, where they hold one. */
function withPointer(sense: Sense, specific: Uint8Array): Sense {
  const [flags, high, low] = specific;
  if (flags === undefined || high === undefined || low === undefined) return sense;
  if (sense.key !== SENSE_KEY.illegalRequest || (flags & 0x80) === 0) return sense;
  const bit = (flags & 0x08) !== 0 ? flags & 0x07 : null;
  return { ...sense, fieldPointer: { inCdb: (flags & 0x40) !== 0, byte: high * 256 + low, bit } };
}

/**
 * Encodes sense data of a current error: 18 bytes fixed, or 8 (16 with a field pointer) in descriptor format.
 * Throws `RangeError` for a value that does not fit its field.
 */
export function encodeSense(
  key: number,
  asc: number,
  ascq: number,
  format: Sense["format"] = "fixed",
  fieldPointer?: FieldPointer,
): Bytes {
  if (key < 0 || key > 0x0f) throw new RangeError(`sense key ${key} is not in 0..15`);
  const specific = fieldPointer ? keySpecific(fieldPointer) : null;
  if (format === "fixed") {
    const out = new BeWriter(FIXED_BYTES).u8(0, 0x70).u8(2, key).u8(7, FIXED_BYTES - 8).u8(12, asc).u8(13, ascq);
    return specific ? out.put(15, specific).bytes : out.bytes;
  }
  const out = new BeWriter(DESCRIPTOR_HEADER_BYTES + (specific ? 8 : 0)).u8(0, 0x72).u8(1, key).u8(2, asc).u8(3, ascq);
  return specific ? out.u8(7, 8).u8(8, KEY_SPECIFIC_DESCRIPTOR).u8(9, 6).put(12, specific).bytes : out.bytes;
}

function keySpecific({ inCdb, byte, bit }: FieldPointer): Uint8Array {
  if (bit !== null && (bit < 0 || bit > 7)) throw new RangeError(`bit ${bit} is not in 0..7`);
  const flags = 0x80 | (inCdb ? 0x40 : 0) | (bit === null ? 0 : 0x08 | bit);
  return new BeWriter(3).u8(0, flags).u16(1, byte).bytes;
}

/** "06/2A/05", the short form of references and scripts. */
export function senseCode(sense: Sense): string {
  return [sense.key, sense.asc, sense.ascq].map((n) => n.toString(16).toUpperCase().padStart(2, "0")).join("/");
}

/** "UNIT ATTENTION, Registrations preempted (06/2A/05)", with the field a target points at and "deferred" where it is. */
export function describeSense(sense: Sense): string {
  const words = [SENSE_KEY_NAMES[sense.key], ascName(sense.asc, sense.ascq)].filter(Boolean).join(", ");
  const pointer = sense.fieldPointer;
  const bit = pointer && pointer.bit !== null ? ` bit ${pointer.bit}` : "";
  const where = pointer ? `, ${pointer.inCdb ? "CDB" : "parameter list"} byte ${pointer.byte}${bit}` : "";
  return `${words}${where} (${senseCode(sense)})${sense.deferred ? ", deferred from an earlier command" : ""}`;
}
