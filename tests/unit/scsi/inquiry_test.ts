import assert from "node:assert/strict";
import { fromHex, ShortBuffer, toHex } from "../../../lib/bytes.ts";
import { decodeStandardInquiry, encodeStandardInquiry, inquiryCdb, printable } from "../../../lib/scsi/inquiry.ts";

/** LIO, fileio backstore, as standard data of SPC-4. */
const LIO = fromHex(
  "00 00 06 12 1f 00 10 02 4c494f2d4f524720 46494c45494f20202020202020202020 342e3020",
);

Deno.test("inquiryCdb() for standard data and for a page", () => {
  assert.equal(toHex(inquiryCdb(96)), "120000006000");
  assert.equal(toHex(inquiryCdb(1024, 0x83)), "120183040000");
  assert.throws(() => inquiryCdb(65536), RangeError);
});

const LIO_SAYS = {
  ...{ qualifier: 0, deviceType: 0, version: 6, tpgs: 0, multiPort: true },
  ...{ vendor: "LIO-ORG", product: "FILEIO", revision: "4.0" },
};

Deno.test("decodeStandardInquiry() of LIO", () => assert.deepEqual(decodeStandardInquiry(LIO), LIO_SAYS));

const ODD = [
  ["qualifier and type", "7f 00 05 02 1f", { qualifier: 3, deviceType: 0x1f, version: 5, vendor: "" }],
  ["36 bytes delivered, ADDITIONAL LENGTH 0", "00 00 06 02 00" + toHex(LIO.subarray(5)), {
    vendor: "LIO-ORG",
    revision: "4.0",
  }],
  ["ADDITIONAL LENGTH 255, 12 bytes delivered", "00 00 06 02 ff 30 00 00 4c494f2d", {
    tpgs: 3,
    vendor: "LIO-",
    product: "",
  }],
  ["zeros in place of text", "00 00 06 02 1f 00 00 00" + "00".repeat(28), { vendor: "", product: "", revision: "" }],
  ["an escape sequence in the vendor", "00 00 06 02 1f 00 00 00 1b5b324a ff202020", { vendor: "?[2J?" }],
] as const;
for (const [what, hex, expected] of ODD) {
  Deno.test(`decodeStandardInquiry() with ${what}`, () => {
    const inquiry = decodeStandardInquiry(fromHex(hex));
    for (const [field, value] of Object.entries(expected)) {
      assert.equal(inquiry[field as keyof typeof inquiry], value, field);
    }
  });
}

Deno.test("decodeStandardInquiry() of a cut header is ShortBuffer, of anything longer a value", () => {
  for (let cut = 0; cut < LIO.length; cut++) {
    const run = () => decodeStandardInquiry(LIO.subarray(0, cut));
    if (cut < 5) assert.throws(run, ShortBuffer);
    else assert.equal(run().deviceType, 0);
  }
});

Deno.test("encodeStandardInquiry() reads back, texts cut to their fields", () => {
  assert.deepEqual(decodeStandardInquiry(encodeStandardInquiry(LIO_SAYS)), LIO_SAYS);
  const long = { ...LIO_SAYS, vendor: "ABCDEFGHIJ", product: "öl", revision: "12345" };
  assert.deepEqual(decodeStandardInquiry(encodeStandardInquiry(long)), {
    ...long,
    ...{ vendor: "ABCDEFGH", product: "?l", revision: "1234" },
  });
});

Deno.test("printable() leaves nothing a terminal would obey", () => {
  const all = printable(Uint8Array.from({ length: 256 }, (_, i) => i));
  assert.ok(/^[\x20-\x7e]*$/.test(all));
});
