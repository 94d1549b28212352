/**
 * INQUIRY of a simulated LUN: standard data and VPD pages 00h, 80h, 83h. Pure. Source: SPC-4, "INQUIRY command".
 *
 * @module
 */
import { BeWriter, type Bytes, concat, fromHex } from "../../bytes.ts";
import type { SimDevice } from "./model.ts";
import { type NexusId, portOf } from "./nexus_id.ts";

const STANDARD_BYTES = 36;
const SPC4 = 0x06;

/** Data of the standard page (`page` null) or a VPD page; `null` for a page that is not there. */
export function inquiry(device: SimDevice, nexus: NexusId, page: number | null): Bytes | null {
  const { identity } = device;
  switch (page) {
    case null:
      return new BeWriter(STANDARD_BYTES).u8(2, SPC4).u8(3, 0x02).u8(4, STANDARD_BYTES - 5).u8(7, 0x02)
        .put(8, text(identity.vendor, 8)).put(16, text(identity.product, 16)).put(32, text(identity.revision, 4)).bytes;
    case 0x00:
      return vpd(page, Uint8Array.of(0x00, 0x80, 0x83));
    case 0x80:
      return vpd(page, text(identity.serial, identity.serial.length));
    case 0x83:
      return vpd(
        page,
        concat(
          designator(0x01, 0x00, 0x03, fromHex(identity.naa)),
          designator(0x01, 0x10, 0x04, new BeWriter(4).u16(2, portOf(nexus)).bytes),
        ),
      );
    default:
      return null;
  }
}

function vpd(page: number, body: Uint8Array): Bytes {
  return new BeWriter(4 + body.length).u8(1, page).u16(2, body.length).put(4, body).bytes;
}

/** A designator of VPD 83h; association is a bit pattern (00h the logical unit, 10h the target port). */
function designator(codeSet: number, association: number, kind: number, value: Uint8Array): Bytes {
  return new BeWriter(4 + value.length).u8(0, codeSet).u8(1, association | kind).u8(3, value.length).put(4, value)
    .bytes;
}

/** ASCII, left-aligned, padded with blanks. */
function text(value: string, width: number): Bytes {
  return new Uint8Array(new TextEncoder().encode(value.padEnd(width).slice(0, width)));
}
