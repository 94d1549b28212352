import assert from "node:assert/strict";
import { fromHex } from "../../../lib/bytes.ts";
import { identify, lunDesignators, relativeTargetPort } from "../../../lib/scsi/identity.ts";
import type { Designator } from "../../../lib/scsi/vpd.ts";

function designator(type: number, hex: string, association = 0, codeSet = 1): Designator {
  return { association, type, codeSet, bytes: fromHex(hex) };
}
const text = (type: number, value: string, codeSet: number): Designator => ({
  ...{ association: 0, type, codeSet },
  bytes: new Uint8Array(new TextEncoder().encode(value)),
});

const NAA6 = designator(3, "6001405aabbccdd0011223344556677f");
const NAA5 = designator(3, "5001405aabbccdd0");
const EUI16 = designator(2, "00112233445566778899aabbccddeeff");
const EUI8 = designator(2, "0011223344556677");
const NAME = text(8, "iqn.2003-01.org.lio:disk,L,0x0001\0\0\0", 3);
const T10 = text(1, "LIO-ORG disk-42 ", 2);

const CASES = [
  ["NAA 6 before all others", [T10, NAME, EUI8, NAA5, NAA6], "naa.6001405aabbccdd0011223344556677f"],
  [
    "NAA 5 before NAA 2 and 3",
    [designator(3, "3000000000000001"), designator(3, "2000000000000001"), NAA5],
    "naa.5001405aabbccdd0",
  ],
  ["any NAA before EUI-64", [EUI16, designator(3, "3000000000000001")], "naa.3000000000000001"],
  [
    "a longer EUI-64 first",
    [EUI8, designator(2, "00112233445566778899aabb"), EUI16],
    "eui.00112233445566778899aabbccddeeff",
  ],
  ["UUID before a name", [NAME, designator(10, "1000" + "ab".repeat(16))], "uuid." + "ab".repeat(16)],
  ["a name before T10", [T10, NAME], "name.iqn.2003-01.org.lio:disk,L,0x0001"],
  ["T10 when there is nothing else", [T10], "t10.LIO-ORG disk-42"],
  ["T10 in binary as hex", [designator(1, "4c494f2d4f524720ff01")], "t10.0x4c494f2d4f524720ff01"],
  ["an NAA of zeros is no name", [designator(3, "00".repeat(16)), T10], "t10.LIO-ORG disk-42"],
  ["an NAA 6 of 8 bytes is no name", [designator(3, "6001405aabbccdd0")], null],
  ["an unknown NAA is no name", [designator(3, "9001405aabbccdd0")], null],
  ["an EUI-64 of 9 bytes is no name", [designator(2, "00112233445566778a")], null],
  ["a target port's name is not the LUN's", [designator(3, "5001405aabbccdd0", 1)], null],
  ["a vendor's own number is unique nowhere", [designator(0, "0102")], null],
  ["a T10 vendor ID cut short is no name", [designator(1, "4c494f")], null],
  ["a name in another code set is no name", [text(8, "iqn.x", 2)], null],
  ["a name with an escape sequence is no name", [text(8, "naa.\x1b[2J", 3)], null],
  ["a name with a C1 control character is no name", [text(8, "naa.5\u009b2J", 3)], null],
  ["a name that turns the line round is no name", [text(8, "naa.5\u202e5", 3)], null],
  ["a name that is no UTF-8 is no name", [designator(8, "6e61612eff", 0, 3)], null],
  ["no designator at all", [], null],
] as const;
for (const [what, designators, best] of CASES) {
  Deno.test(`lunDesignators(): ${what}`, () => assert.equal(lunDesignators(designators)[0] ?? null, best));
}

Deno.test("lunDesignators() lists every name once, best first", () => {
  assert.deepEqual(lunDesignators([T10, NAA6, NAA6, NAME]), [
    "naa.6001405aabbccdd0011223344556677f",
    "name.iqn.2003-01.org.lio:disk,L,0x0001",
    "t10.LIO-ORG disk-42",
  ]);
});

const PORTS = [
  ["the target port's", [designator(4, "00000002", 1)], 2],
  ["65535", [designator(4, "0000ffff", 1)], 65535],
  ["a reserved 0", [designator(4, "00000000", 1)], null],
  ["a designator of three bytes", [designator(4, "000001", 1)], null],
  ["one that names the LUN instead", [designator(4, "00000002", 0)], null],
  ["none", [NAA6], null],
] as const;
for (const [what, designators, port] of PORTS) {
  Deno.test(`relativeTargetPort() of ${what}`, () => assert.equal(relativeTargetPort(designators), port));
}

Deno.test("identify() puts it together", () => {
  const inquiry = {
    ...{ qualifier: 0, deviceType: 0, version: 6, tpgs: 0, multiPort: true },
    ...{ vendor: "LIO-ORG", product: "FILEIO", revision: "4.0" },
  };
  assert.deepEqual(identify(inquiry, [NAA6, designator(4, "00000001", 1)], "42"), {
    designator: "naa.6001405aabbccdd0011223344556677f",
    designators: ["naa.6001405aabbccdd0011223344556677f"],
    ...{ vendor: "LIO-ORG", product: "FILEIO", revision: "4.0", serial: "42", deviceType: 0, relativeTargetPort: 1 },
  });
});
