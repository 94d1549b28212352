/** What hosts ask of every disk: identity, capacity, mode pages, the medium. */
import assert from "node:assert/strict";
import { toHex } from "../../../lib/bytes.ts";
import { decodeStandardInquiry } from "../../../lib/scsi/inquiry.ts";
import { decodeVpd00, decodeVpd80, decodeVpd83 } from "../../../lib/scsi/vpd.ts";
import { SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { answerOf, Driver } from "../../support/sim.ts";

const BLOCK = 512;
const filled = (byte: string, blocks = 1): string => byte.repeat(BLOCK * blocks);

Deno.test("INQUIRY: standard data and the pages 00h, 80h, 83h; others are refused", () => {
  const lun = new Driver();
  assert.deepEqual(decodeStandardInquiry(lun.send("a", "12 00 00 00 60 00", 96).dataIn), {
    qualifier: 0,
    deviceType: 0,
    version: 6,
    tpgs: 0,
    multiPort: true,
    vendor: "PRMIG",
    product: "SIMULATED LUN",
    revision: "1",
  });
  const page = (code: string, nexus = "a"): Uint8Array => lun.send(nexus, `12 01 ${code} 00 ff 00`, 255).dataIn;
  assert.deepEqual(decodeVpd00(page("00")), [0x00, 0x80, 0x83]);
  assert.equal(decodeVpd80(page("80")), "5e71a1");
  const designators = (nexus: string): string[] =>
    decodeVpd83(page("83", nexus)).map(({ type, association, bytes }) => `${association}.${type} ${toHex(bytes)}`);
  assert.deepEqual(designators("a"), ["0.3 35e71a1000000000", "1.4 00000001"]);
  assert.deepEqual(designators("a#2"), ["0.3 35e71a1000000000", "1.4 00000002"]);
  assert.equal(answerOf(lun.send("a", "12 01 b0 00 ff 00", 255)), "05/24/00");
  assert.equal(lun.send("a", "12 00 00 00 05 00", 255).dataIn.length, 5);
});

Deno.test("READ CAPACITY: 64 KiB in blocks of 512 bytes", () => {
  const lun = new Driver();
  assert.equal(toHex(lun.send("a", "25 00 00 00 00 00 00 00 00 00", 8).dataIn), "0000007f00000200");
  const long = lun.send("a", "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00", 32).dataIn;
  assert.equal(toHex(long.subarray(0, 12)), "000000000000007f00000200");
  assert.equal(answerOf(lun.send("a", "9e 12 00 00 00 00 00 00 00 00 00 00 00 20 00 00", 32)), "05/24/00");
});

Deno.test("MODE SENSE knows the Control page, LOG SENSE its list of pages, REPORT LUNS the one LUN", () => {
  const lun = new Driver();
  assert.equal(toHex(lun.send("a", "1a 08 3f 00 c0 00", 192).dataIn), "0f0000000a0a00000000000000000000");
  assert.equal(
    toHex(lun.send("a", "5a 08 0a 00 00 00 00 00 c0 00", 192).dataIn),
    "00120000000000000a0a" + "00".repeat(10),
  );
  assert.equal(answerOf(lun.send("a", "1a 08 08 00 c0 00", 192)), "05/24/00");
  assert.equal(toHex(lun.send("a", "4d 00 00 00 00 00 00 00 05 00", 5).dataIn), "0000000100");
  assert.equal(toHex(lun.send("a", "a0 00 00 00 00 00 00 00 00 10 00 00", 16).dataIn), "00000008" + "00".repeat(12));
});

const TRANSFERS: readonly (readonly [name: string, write: string, read: string])[] = [
  ["6", "0a 00 00 05 01 00", "08 00 00 05 01 00"],
  ["10", "2a 00 00 00 00 05 00 00 01 00", "28 00 00 00 00 05 00 00 01 00"],
  ["12", "aa 00 00 00 00 05 00 00 00 01 00 00", "a8 00 00 00 00 05 00 00 00 01 00 00"],
  [
    "16",
    "8a 00 00 00 00 00 00 00 00 05 00 00 00 01 00 00",
    "88 00 00 00 00 00 00 00 00 05 00 00 00 01 00 00",
  ],
];
for (const [name, write, read] of TRANSFERS) {
  Deno.test(`WRITE(${name}) is what READ(${name}) reads, and its neighbours stay zero`, () => {
    const lun = new Driver();
    assert.equal(answerOf(lun.send("a", write, filled("a7"))), "good");
    assert.equal(toHex(lun.send("b", read, BLOCK).dataIn), filled("a7"));
    const around = toHex(lun.send("b", "28 00 00 00 00 04 00 00 03 00", 3 * BLOCK).dataIn);
    assert.equal(around, filled("00") + filled("a7") + filled("00"));
    assert.equal(answerOf(lun.send("a", write, filled("00"))), "good");
    assert.deepEqual(lun.model.medium, {});
  });
}

Deno.test("beyond the last block: 05/21/00, and nothing is written", () => {
  const lun = new Driver();
  for (
    const [cdb, data] of [
      ["28 00 00 00 00 7f 00 00 02 00", 2 * BLOCK],
      ["2a 00 00 00 00 80 00 00 01 00", filled("a7")],
      ["88 00 ff ff ff ff ff ff ff ff 00 00 00 01 00 00", BLOCK],
    ] as const
  ) assert.equal(answerOf(lun.send("a", cdb, data)), "05/21/00");
  assert.deepEqual(lun.model.medium, {});
});

Deno.test("WRITE with less data than blocks is refused, and nothing is written", () => {
  const lun = new Driver();
  assert.equal(answerOf(lun.send("a", "2a 00 00 00 00 00 00 00 02 00", filled("a7"))), "05/24/00");
  assert.deepEqual(lun.model.medium, {});
});

Deno.test("COMPARE AND WRITE writes when equal, else 0E/1D/00", () => {
  const lun = new Driver();
  const cdb = "89 00 00 00 00 00 00 00 00 03 00 00 00 01 00 00";
  assert.equal(answerOf(lun.send("a", cdb, filled("00") + filled("b1"))), "good");
  assert.equal(answerOf(lun.send("a", cdb, filled("00") + filled("c2"))), "0E/1D/00");
  assert.equal(toHex(lun.send("a", "08 00 00 03 01 00", BLOCK).dataIn), filled("b1"));
});

Deno.test("WRITE SAME fills, UNMAP empties", () => {
  const lun = new Driver();
  assert.equal(answerOf(lun.send("a", "41 00 00 00 00 02 00 00 03 00", filled("d4"))), "good");
  assert.deepEqual(Object.keys(lun.model.medium), ["2", "3", "4"]);
  const list = "0016 0010 00000000 0000000000000003 00000001 00000000";
  assert.equal(answerOf(lun.send("a", "42 00 00 00 00 00 00 00 18 00", list)), "good");
  assert.deepEqual(Object.keys(lun.model.medium), ["2", "4"]);
  assert.equal(answerOf(lun.send("a", "93 01 00 00 00 00 00 00 00 02 00 00 00 03 00 00", 0)), "good");
  assert.deepEqual(lun.model.medium, {});
});

Deno.test("an unknown operation code is 05/20/00, a cut command block 05/24/00", () => {
  const lun = new Driver();
  assert.equal(answerOf(lun.send("a", "d0 00 00 00 00 00")), "05/20/00");
  for (const cdb of ["28 00 00", "12 01", "5e 00 00 00", "5f 00"]) {
    const answer = answerOf(lun.send("a", cdb, 255));
    assert.ok(["05/24/00", "05/20/00"].includes(answer), `${cdb}: ${answer}`);
  }
});

Deno.test("REPORT SUPPORTED OPERATION CODES says which PR OUT actions there are", () => {
  const move = "a3 0c 02 5f 00 07 00 00 02 00 00 00";
  assert.equal(toHex(new Driver(SPC4).send("a", move, 512).dataIn), "0003000a5f07" + "ff".repeat(7) + "00");
  assert.equal(toHex(new Driver(TGT).send("a", move, 512).dataIn), "00010000");
  const lun = new Driver();
  const all = lun.send("a", "a3 0c 00 00 00 00 00 00 10 00 00 00", 4096).dataIn;
  assert.equal(all.length, 4 + new DataView(all.buffer).getUint32(0));
  assert.equal(answerOf(lun.send("a", "a3 0c 01 5f 00 00 00 00 02 00 00 00", 512)), "05/24/00");
  assert.equal(toHex(lun.send("a", "a3 0c 01 00 00 00 00 00 02 00 00 00", 512).dataIn), "0003000600ffffffff00");
  assert.equal(toHex(lun.send("a", "a3 0d 00 00 00 00 00 00 00 04 00 00", 4).dataIn), "d8000000");
});
