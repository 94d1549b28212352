/**
 * INQUIRY of a simulated LUN: standard data and VPD pages 00h, 80h, 83h. Pure. Source: SPC-4, "INQUIRY command".
 *
 * @module
 */
import { BeWriter, type Bytes, fromHex } from "../../bytes.ts";
import { DISK, encodeStandardInquiry } from "../../scsi/inquiry.ts";
import { ASSOCIATION, encodeVpd00, encodeVpd80, encodeVpd83, VPD } from "../../scsi/vpd.ts";
import type { SimDevice } from "./model.ts";
import { type NexusId, portOf } from "./nexus_id.ts";

const SPC4_VERSION = 0x06;
const BINARY = 1;
const NAA = 3;
const RELATIVE_TARGET_PORT = 4;

/** Data of the standard page (`page` null) or a VPD page; `null` for a page that is not there. */
export function inquiry({ identity, ports }: SimDevice, nexus: NexusId, page: number | null): Bytes | null {
  switch (page) {
    case null:
      return encodeStandardInquiry({
        ...identity,
        qualifier: 0,
        deviceType: DISK,
        version: SPC4_VERSION,
        tpgs: 0,
        multiPort: ports.length > 1,
      });
    case VPD.supportedPages:
      return encodeVpd00(Object.values(VPD));
    case VPD.unitSerialNumber:
      return encodeVpd80(identity.serial);
    case VPD.deviceIdentification:
      return encodeVpd83([
        { association: ASSOCIATION.logicalUnit, type: NAA, codeSet: BINARY, bytes: fromHex(identity.naa) },
        {
          association: ASSOCIATION.targetPort,
          type: RELATIVE_TARGET_PORT,
          codeSet: BINARY,
          bytes: new BeWriter(4).u16(2, portOf(nexus)).bytes,
        },
      ]);
    default:
      return null;
  }
}
