import assert from "node:assert/strict";
import { fromHex, ShortBuffer, toHex } from "../../../lib/bytes.ts";
import {
  decodeVpd00,
  decodeVpd80,
  decodeVpd83,
  encodeVpd00,
  encodeVpd80,
  encodeVpd83,
  WrongPage,
} from "../../../lib/scsi/vpd.ts";

/** NAA-6, T10 vendor ID, relative target port 1. */
const PAGE_83 = fromHex(
  "00 83 0030" + "01 03 00 10 6001405aabbccdd0011223344556677f" + "02 01 00 10 4c494f2d4f524720 64697361732d3432" +
    "51 94 00 04 00000001",
);

Deno.test("decodeVpd83() gives every designator with association, type and code set", () => {
  const found = decodeVpd83(PAGE_83).map(({ association, type, codeSet, bytes }) => [
    ...[association, type, codeSet],
    toHex(bytes),
  ]);
  assert.deepEqual(found, [
    [0, 3, 1, "6001405aabbccdd0011223344556677f"],
    [0, 1, 2, "4c494f2d4f52472064697361732d3432"],
    [1, 4, 1, "00000001"],
  ]);
});

Deno.test("decodeVpd83() of a cut page gives what is whole in it", () => {
  for (let cut = 0; cut < PAGE_83.length; cut++) {
    const run = () => decodeVpd83(PAGE_83.subarray(0, cut)).length;
    if (cut < 4) assert.throws(run, ShortBuffer);
    else assert.equal(run(), cut < 24 ? 0 : cut < 44 ? 1 : 2);
  }
});

const LYING = [
  ["PAGE LENGTH beyond the page", "00 83 ffff 01 03 00 01 aa", 1],
  ["PAGE LENGTH short of the page", "00 83 0005 01 03 00 01 aa 01 03 00 01 bb", 1],
  ["DESIGNATOR LENGTH beyond the page", "00 83 0005 01 03 00 ff aa", 0],
  ["empty designators", "00 83 0008 01 03 00 00 01 03 00 00", 2],
  ["nothing in it", "00 83 0000", 0],
] as const;
for (const [what, hex, count] of LYING) {
  Deno.test(`decodeVpd83() with ${what} gives ${count}`, () => assert.equal(decodeVpd83(fromHex(hex)).length, count));
}

Deno.test("pages are refused under another page's code", () => {
  const standard = fromHex("00 00 06 02 1f 00 00 02 4c494f2d4f5247");
  assert.throws(() => decodeVpd83(standard), WrongPage);
  assert.throws(() => decodeVpd80(standard), /asked for VPD page 80h, got page 00h/);
});

Deno.test("decodeVpd00() lists pages, as many as came", () => {
  assert.deepEqual(decodeVpd00(fromHex("00 00 0003 00 80 83")), [0, 0x80, 0x83]);
  assert.deepEqual(decodeVpd00(fromHex("00 00 00ff 00 80")), [0, 0x80]);
  assert.throws(() => decodeVpd00(fromHex("00 00 00")), ShortBuffer);
});

Deno.test("decodeVpd80() gives the serial number without padding, and null for a blank one", () => {
  assert.equal(decodeVpd80(fromHex("00 80 0008 20204142 43202000")), "ABC");
  assert.equal(decodeVpd80(fromHex("00 80 0004 20202020")), null);
});

Deno.test("what was encoded decodes to the same", () => {
  assert.deepEqual(decodeVpd00(encodeVpd00([0, 0x80, 0x83])), [0, 0x80, 0x83]);
  assert.equal(decodeVpd80(encodeVpd80("SER 1")), "SER 1");
  const designators = decodeVpd83(PAGE_83);
  assert.deepEqual(decodeVpd83(encodeVpd83(designators)), designators);
  assert.throws(() => encodeVpd83([{ ...designators[0]!, bytes: new Uint8Array(256) }]), RangeError);
});
