/**
 * INQUIRY: its command block, and the standard data. Pure. Source: SPC-4, "INQUIRY command", "Standard INQUIRY data".
 *
 *   0 PERIPHERAL QUALIFIER (bits 7-5), DEVICE TYPE (4-0) | 2 VERSION | 3 RESPONSE DATA FORMAT | 4 ADDITIONAL LENGTH
 *   5 TPGS (bits 5-4) | 6 MULTIP (bit 4) | 8 vendor, 8 | 16 product, 16 | 32 revision, 4
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes } from "../bytes.ts";

/** What standard INQUIRY data says of a logical unit. */
export interface StandardInquiry {
  /** 0: connected; 1: known but not connected; 3: there is no logical unit at this LUN. */
  readonly qualifier: number;
  /** 00h for disks; 1Fh: unknown or none. */
  readonly deviceType: number;
  /** 05h SPC-3, 06h SPC-4, 07h SPC-5. */
  readonly version: number;
  /** Target port group support: 0 none, 1 implicit, 2 explicit, 3 both. */
  readonly tpgs: number;
  /** The device has more than one port. */
  readonly multiPort: boolean;
  /** VENDOR IDENTIFICATION, printable ASCII without padding; empty when it was not delivered. */
  readonly vendor: string;
  /** PRODUCT IDENTIFICATION, likewise. */
  readonly product: string;
  /** PRODUCT REVISION LEVEL, likewise. */
  readonly revision: string;
}

/** Bytes of standard data worth asking for. */
export const STANDARD_INQUIRY_BYTES = 96;

const HEADER_BYTES = 5;
const OPERATION_CODE = 0x12;
/** Peripheral device type of disks. */
export const DISK = 0x00;

/** Command block for standard data, or for a vital product data page. `allocationLength`: 0 to 65535 bytes. */
export function inquiryCdb(allocationLength: number, page?: number): Bytes {
  const cdb = new BeWriter(6).u8(0, OPERATION_CODE).u16(3, allocationLength);
  return page === undefined ? cdb.bytes : cdb.u8(1, 1).u8(2, page).bytes; // EVPD
}

/**
 * Decodes standard data. ADDITIONAL LENGTH is not believed: what was delivered counts, and a text that was not is empty.
 *
 * Errors: `ShortBuffer` for fewer than 5 bytes.
 */
export function decodeStandardInquiry(bytes: Uint8Array): StandardInquiry {
  const reader = new BeReader(bytes);
  reader.slice(0, HEADER_BYTES, "standard INQUIRY data");
  const optional = (offset: number): number => offset < bytes.length ? reader.u8(offset, "flags") : 0;
  return {
    qualifier: bytes[0]! >> 5,
    deviceType: bytes[0]! & 0x1f,
    version: reader.u8(2, "VERSION"),
    tpgs: (optional(5) >> 4) & 0x03,
    multiPort: (optional(6) & 0x10) !== 0,
    vendor: printable(bytes.subarray(8, 16)),
    product: printable(bytes.subarray(16, 32)),
    revision: printable(bytes.subarray(32, 36)),
  };
}

/** Standard data of 36 bytes. Texts too long for their fields are cut. */
export function encodeStandardInquiry(inquiry: StandardInquiry): Bytes {
  const { qualifier, deviceType, version, tpgs, multiPort, vendor, product, revision } = inquiry;
  return new BeWriter(36)
    .u8(0, (qualifier << 5) | deviceType)
    .u8(2, version)
    .u8(3, 0x12) // HISUP, response data format 2
    .u8(4, 36 - HEADER_BYTES)
    .u8(5, tpgs << 4)
    .u8(6, multiPort ? 0x10 : 0)
    .u8(7, 0x02) // CMDQUE
    .put(8, padded(vendor, 8))
    .put(16, padded(product, 16))
    .put(32, padded(revision, 4))
    .bytes;
}

/** ASCII as a device gives it, without padding; what cannot be printed (a terminal would obey it) becomes `?`. */
export function printable(bytes: Uint8Array): string {
  const text = Array.from(bytes, (b) => b === 0 ? " " : b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : "?").join("");
  return text.trim();
}

/** ASCII filled up with spaces, as every SCSI text field is; other characters become `?`. */
export function padded(text: string, size: number): Bytes {
  return Uint8Array.from({ length: size }, (_, i) => {
    const code = i < text.length ? text.charCodeAt(i) : 0x20;
    return code >= 0x20 && code < 0x7f ? code : 0x3f;
  });
}
