/**
 * TransportIDs: the name of an initiator port as READ FULL STATUS shows it and REGISTER AND MOVE takes it.
 *
 * Pure. Source: SPC-4, "TransportID identifiers".
 *
 *   0 FORMAT CODE (bits 7-6), PROTOCOL IDENTIFIER (bits 3-0) | the rest by protocol; 24 bytes but for iSCSI
 *   iSCSI: 2 ADDITIONAL LENGTH u16 | 4 name, NUL-terminated and NUL-padded; format 01b: name `,i,0x` ISID
 *
 * What no rule covers is kept whole as raw hex: a name that cannot be shown is still a name that can be compared.
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes, fromHex, toHex } from "../bytes.ts";
import { Malformed } from "./malformed.ts";

/** An initiator port. Two are the same port when {@link TransportId.protocol} and address agree (iSCSI: whatever the case). */
export interface TransportId {
  /** Transport the port speaks. */
  readonly protocol: "fc" | "spi" | "sbp" | "srp" | "iscsi" | "sas" | "sop" | "unknown";
  /**
   * FC, SAS, SRP, SBP: lower-case hex digits; iSCSI: the name, with `,i,0x<ISID>` for one port; SOP: four hex digits of
   * the routing ID; SPI: SCSI address and relative target port in decimal, `7,1`; unknown: all bytes in hex.
   */
  readonly address: string;
}

/** Size of every TransportID but the iSCSI ones, and the least size of those. */
const ID_BYTES = 24;
const ISCSI_HEADER_BYTES = 4;
/** What parts an iSCSI name from the ISID of one port. */
const ISID_SEPARATOR = ",i,0x";

/** Protocols whose TransportID is one field: code, where the field is, how long. */
const FIELD = {
  fc: { code: 0x0, offset: 8, size: 8 },
  sbp: { code: 0x3, offset: 8, size: 8 },
  srp: { code: 0x4, offset: 8, size: 16 },
  sas: { code: 0x6, offset: 4, size: 8 },
  sop: { code: 0xa, offset: 2, size: 2 },
} as const;
const SPI_CODE = 0x1;
const ISCSI_CODE = 0x5;
const ISCSI_DEVICE = 0x05; // format 00b: the initiator device, whatever its ports
const ISCSI_PORT = 0x45; // format 01b: one port of it

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes the first TransportID of a list, as PERSISTENT RESERVE OUT carries them back to back.
 *
 * Gives the port and how many bytes it took: 24, or 4 + ADDITIONAL LENGTH for iSCSI.
 * Errors: `ShortBuffer` when it is cut; {@link Malformed} when ADDITIONAL LENGTH is below 20 or no multiple of 4.
 */
export function decodeTransportId(bytes: Uint8Array): { id: TransportId; length: number } {
  const reader = new BeReader(bytes);
  let length = ID_BYTES;
  if ((reader.u8(0, "PROTOCOL IDENTIFIER") & 0x0f) === ISCSI_CODE) {
    length = ISCSI_HEADER_BYTES + reader.u16(2, "ADDITIONAL LENGTH");
    if (length < ID_BYTES || length % 4 !== 0) {
      throw new Malformed(
        "ADDITIONAL LENGTH",
        `a TransportID of ${length} bytes; at least 24 and a multiple of 4 wanted`,
      );
    }
  }
  return { id: readTransportId(reader.slice(0, length, "TransportID")), length };
}

/**
 * Reads a TransportID whose size another field has given (READ FULL STATUS). Never throws: a device that got it wrong
 * has still told something, which is kept as protocol `unknown`. LIO builds iSCSI ones shorter than 24 bytes.
 */
export function readTransportId(bytes: Uint8Array): TransportId {
  return (bytes.length < ISCSI_HEADER_BYTES ? null : readKnown(bytes)) ??
    { protocol: "unknown", address: toHex(bytes) };
}

function readKnown(bytes: Uint8Array): TransportId | null {
  const first = bytes[0]!;
  if ((first & 0x0f) === ISCSI_CODE) return readIscsi(bytes);
  if (bytes.length < ID_BYTES) return null;
  const reader = new BeReader(bytes);
  if (first === SPI_CODE) {
    const address = `${reader.u16(2, "SCSI ADDRESS")},${reader.u16(6, "RELATIVE TARGET PORT IDENTIFIER")}`;
    return { protocol: "spi", address };
  }
  for (const [protocol, { code, offset, size }] of Object.entries(FIELD)) {
    if (first === code) {
      return { protocol: protocol as keyof typeof FIELD, address: toHex(bytes.subarray(offset, offset + size)) };
    }
  }
  return null;
}

function readIscsi(bytes: Uint8Array): TransportId | null {
  const end = ISCSI_HEADER_BYTES + bytes[2]! * 256 + bytes[3]!;
  if (end > bytes.length) return null;
  const field = bytes.subarray(ISCSI_HEADER_BYTES, end);
  const nul = field.indexOf(0);
  const address = printable(nul < 0 ? field : field.subarray(0, nul));
  if (!address) return null;
  const format = address.includes(ISID_SEPARATOR) ? ISCSI_PORT : ISCSI_DEVICE;
  return bytes[0] === format ? { protocol: "iscsi", address } : null;
}

/** The text, or null for bytes that are none or that a terminal would obey instead of showing. */
function printable(bytes: Uint8Array): string | null {
  try {
    const text = strictUtf8.decode(bytes);
    return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) ? null : text;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Encodes a TransportID. `RangeError` for an address that does not fit its protocol. */
export function encodeTransportId({ protocol, address }: TransportId): Bytes {
  switch (protocol) {
    case "iscsi":
      return encodeIscsi(address);
    case "spi": {
      const numbers = /^(\d{1,5}),(\d{1,5})$/.exec(address);
      if (!numbers) throw new RangeError(`${address} is not "SCSI address,target port"`);
      return new BeWriter(ID_BYTES).u8(0, SPI_CODE).u16(2, Number(numbers[1])).u16(6, Number(numbers[2])).bytes;
    }
    case "unknown":
      return fromHex(address);
    default: {
      const { code, offset, size } = FIELD[protocol];
      const field = fromHex(address);
      if (field.length !== size) throw new RangeError(`${protocol} address ${address}: ${2 * size} hex digits wanted`);
      return new BeWriter(ID_BYTES).u8(0, code).put(offset, field).bytes;
    }
  }
}

function encodeIscsi(address: string): Bytes {
  const text = new TextEncoder().encode(address);
  if (text.length === 0 || printable(text) !== address) throw new RangeError(`not an iSCSI name: ${toHex(text)}`);
  const padded = Math.max(ID_BYTES - ISCSI_HEADER_BYTES, Math.ceil((text.length + 1) / 4) * 4);
  return new BeWriter(ISCSI_HEADER_BYTES + padded)
    .u8(0, address.includes(ISID_SEPARATOR) ? ISCSI_PORT : ISCSI_DEVICE).u16(2, padded)
    .put(ISCSI_HEADER_BYTES, text).bytes;
}

/** True when both name the same initiator port: same protocol, same address whatever the case of its letters. */
export function sameTransportId(a: TransportId, b: TransportId): boolean {
  return a.protocol === b.protocol && a.address.toLowerCase() === b.address.toLowerCase();
}

/** The iSCSI name without the ISID; undefined for every other protocol. */
export function iscsiName(id: TransportId): string | undefined {
  return id.protocol === "iscsi" ? id.address.split(ISID_SEPARATOR)[0] : undefined;
}
