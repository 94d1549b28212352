import { fromHex, ShortBuffer } from "../../lib/bytes.ts";
import { identify } from "../../lib/scsi/identity.ts";
import { decodeStandardInquiry, printable } from "../../lib/scsi/inquiry.ts";
import { decodeVpd00, decodeVpd80, decodeVpd83, WrongPage } from "../../lib/scsi/vpd.ts";
import { BLOCK_OVERHEAD, SgBlock } from "../../lib/sg/sg_io_hdr.ts";
import { CASES } from "../support/cases.ts";
import { bombard, type Target } from "../support/noise.ts";

const STANDARD = fromHex("00 00 06 12 1f 00 10 02 4c494f2d4f524720 46494c45494f20202020202020202020 342e3020");
const PAGE_83 = fromHex(
  "00 83 0047 01 03 00 10 6001405aabbccdd0011223344556677f 02 01 00 10 4c494f2d4f524720 64697361732d3432" +
    "51 94 00 04 00000001 01 02 00 08 0011223344556677 53 08 00 07 6e61612e352e00",
);
const NOBODY = decodeStandardInquiry(STANDARD);
const BLOCK = new SgBlock(new Uint8Array(BLOCK_OVERHEAD + 64), 0n);
BLOCK.encode({ cdb: fromHex("5e0000000000000040 00"), data: 64, timeoutMs: 1 });
const HEADER = BLOCK.bytes.slice();
const pageErrors = [ShortBuffer, WrongPage];

const TARGETS: readonly Target[] = [
  { name: "decodeStandardInquiry", decode: decodeStandardInquiry, examples: [STANDARD], errors: [ShortBuffer] },
  { name: "decodeVpd00", decode: decodeVpd00, examples: [fromHex("00000003008083")], errors: pageErrors },
  { name: "decodeVpd80", decode: decodeVpd80, examples: [fromHex("0080000453455231")], errors: pageErrors },
  {
    name: "decodeVpd83, identify",
    decode: (bytes) => {
      const identity = identify(NOBODY, decodeVpd83(bytes), null);
      const unsafe = identity.designators.find((name) => /[\p{Cc}\p{Cf}]/u.test(name));
      if (unsafe !== undefined) throw new Error(`a terminal would obey ${JSON.stringify(unsafe)}`);
      return identity;
    },
    examples: [PAGE_83],
    errors: pageErrors,
  },
  { name: "printable", decode: printable, examples: [STANDARD] },
  {
    name: "SgBlock.decode",
    decode: (bytes) => {
      BLOCK.bytes.set(HEADER);
      BLOCK.bytes.set(bytes.subarray(0, 88));
      const reply = BLOCK.decode();
      if (reply.dataIn.length > 64 || reply.sense.length > 252) throw new Error("more than there was room for");
      return [...reply.dataIn, ...reply.sense, reply.status];
    },
    examples: [HEADER.slice(0, 88)],
  },
];

for (const target of TARGETS) {
  Deno.test(`${target.name}: ${CASES} hostile byte strings give a value or the typed error, and no byte outside is read`, () => {
    bombard(target);
  });
}
