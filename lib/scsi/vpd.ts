/**
 * Vital product data: which pages there are (00h), the serial number (80h), who the logical unit is (83h). Pure.
 * Source: SPC-4, "Vital product data parameters".
 *
 *   0 qualifier, device type | 1 PAGE CODE | 2 PAGE LENGTH u16 | 4 contents
 *   83h designators: 0 protocol (7-4), CODE SET (3-0) | 1 PIV (7), ASSOCIATION (5-4), TYPE (3-0) | 3 LENGTH | 4 designator
 *
 * Lengths are believed as far as bytes were delivered: a page cut short gives what is whole in it.
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes, concat } from "../bytes.ts";
import { padded, printable } from "./inquiry.ts";

/** Page codes. */
export const VPD = { supportedPages: 0x00, unitSerialNumber: 0x80, deviceIdentification: 0x83 } as const;

/** What a designator names. */
export const ASSOCIATION = { logicalUnit: 0, targetPort: 1, targetDevice: 2 } as const;

/** One entry of page 83h. */
export interface Designator {
  /** 0 logical unit, 1 target port, 2 target device. */
  readonly association: number;
  /** 0 vendor, 1 T10 vendor ID, 2 EUI-64, 3 NAA, 4 relative target port, 8 SCSI name string, 0Ah UUID ... */
  readonly type: number;
  /** 1 binary, 2 ASCII, 3 UTF-8. */
  readonly codeSet: number;
  /** DESIGNATOR, as delivered. */
  readonly bytes: Bytes;
}

/** The device answered with another page than the one asked for (old ones give standard data). */
export class WrongPage extends Error {
  /** For logs. */
  override readonly name = "WrongPage";
  /** Page codes. */
  constructor(readonly asked: number, readonly got: number) {
    const hex = (page: number): string => page.toString(16).toUpperCase().padStart(2, "0") + "h";
    super(`asked for VPD page ${hex(asked)}, got page ${hex(got)}`);
  }
}

/** Decodes page 00h: the codes of the pages there are. Errors: `ShortBuffer`, {@link WrongPage}. */
export function decodeVpd00(bytes: Uint8Array): number[] {
  return [...contents(bytes, VPD.supportedPages)];
}

/** Decodes page 80h: the serial number, null when it is blank. Errors: `ShortBuffer`, {@link WrongPage}. */
export function decodeVpd80(bytes: Uint8Array): string | null {
  return printable(contents(bytes, VPD.unitSerialNumber)) || null;
}

/** Decodes page 83h, designators cut short left out. Errors: `ShortBuffer`, {@link WrongPage}. */
export function decodeVpd83(bytes: Uint8Array): Designator[] {
  const body = contents(bytes, VPD.deviceIdentification);
  const reader = new BeReader(body);
  const designators: Designator[] = [];
  for (let at = 0; at + 4 <= body.length;) {
    const length = reader.u8(at + 3, "DESIGNATOR LENGTH");
    if (at + 4 + length > body.length) break;
    const kind = reader.u8(at + 1, "ASSOCIATION, DESIGNATOR TYPE");
    designators.push({
      association: (kind >> 4) & 0x03,
      type: kind & 0x0f,
      codeSet: reader.u8(at, "CODE SET") & 0x0f,
      bytes: reader.slice(at + 4, length, "DESIGNATOR"),
    });
    at += 4 + length;
  }
  return designators;
}

/** Page 00h of a disk. `pages` in ascending order, 00h among them. */
export function encodeVpd00(pages: readonly number[]): Bytes {
  return page(VPD.supportedPages, Uint8Array.from(pages));
}

/** Page 80h of a disk. */
export function encodeVpd80(serial: string): Bytes {
  return page(VPD.unitSerialNumber, padded(serial, serial.length));
}

/** Page 83h of a disk. Throws `RangeError` for a designator of more than 255 bytes. */
export function encodeVpd83(designators: readonly Designator[]): Bytes {
  const entries = designators.map(({ association, type, codeSet, bytes }) =>
    new BeWriter(4 + bytes.length)
      .u8(0, codeSet).u8(1, (association << 4) | type).u8(3, bytes.length).put(4, bytes).bytes
  );
  return page(VPD.deviceIdentification, concat(...entries));
}

function contents(bytes: Uint8Array, asked: number): Uint8Array {
  const reader = new BeReader(bytes);
  const got = reader.u8(1, "PAGE CODE");
  const end = 4 + reader.u16(2, "PAGE LENGTH");
  if (got !== asked) throw new WrongPage(asked, got);
  return bytes.subarray(4, Math.min(end, bytes.length));
}

function page(code: number, body: Uint8Array): Bytes {
  return new BeWriter(4 + body.length).u8(1, code).u16(2, body.length).put(4, body).bytes;
}
