import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeStandardInquiry, encodeStandardInquiry } from "../../lib/scsi/inquiry.ts";
import { decodeVpd00, decodeVpd80, decodeVpd83, encodeVpd00, encodeVpd80, encodeVpd83 } from "../../lib/scsi/vpd.ts";
import { CASES, holds } from "../support/cases.ts";
import { record, u8 } from "../support/pr_arbitraries.ts";

function property(name: string, run: () => void): void {
  Deno.test(`decode(encode(x)) = x for ${name}, ${CASES} times`, run);
}

/** Text as SCSI fields carry it: printable ASCII, without blanks at either end. */
function ascii(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: "grapheme-ascii", maxLength }).map((text) => text.trim());
}
const bits = (count: number): fc.Arbitrary<number> => fc.nat({ max: 2 ** count - 1 });

property("standard INQUIRY data", () =>
  holds(
    record({
      ...{ qualifier: bits(3), deviceType: bits(5), version: u8, tpgs: bits(2), multiPort: fc.boolean() },
      ...{ vendor: ascii(8), product: ascii(16), revision: ascii(4) },
    }),
    (x) => assert.deepEqual(decodeStandardInquiry(encodeStandardInquiry(x)), x),
  ));

property(
  "VPD page 00h",
  () => holds(fc.array(u8, { maxLength: 40 }), (x) => assert.deepEqual(decodeVpd00(encodeVpd00(x)), x)),
);

property("VPD page 80h", () => holds(ascii(40), (x) => assert.equal(decodeVpd80(encodeVpd80(x)), x || null)));

property("VPD page 83h", () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => new Uint8Array(each));
  const designator = record({ association: bits(2), type: bits(4), codeSet: bits(4), bytes });
  holds(fc.array(designator, { maxLength: 5 }), (x) => assert.deepEqual(decodeVpd83(encodeVpd83(x)), x));
});
