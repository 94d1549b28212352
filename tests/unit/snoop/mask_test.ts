import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../lib/bytes.ts";
import { prInCdb, type PrOutAction, prOutCdb } from "../../../lib/pr/cdb.ts";
import { decodeSense, senseCode } from "../../../lib/scsi/sense.ts";
import { maskAnswer, refusalOf } from "../../../lib/snoop/mask.ts";

const NOTHING = new Uint8Array();

Deno.test("maskAnswer() clears SIP_C and ATP_C of REPORT CAPABILITIES, and no other bit of it", () => {
  const cdb = prInCdb("reportCapabilities", 8);
  const masked = (data: string): string =>
    toHex(maskAnswer(cdb, { status: 0, sense: NOTHING, data: fromHex(data) }).data);
  assert.equal(masked("0008 1d 90 ea01 0000"), "000811" + "90ea010000");
  assert.equal(masked("0008 ff ff ffff ffff"), "0008f3" + "ffffffffff");
  assert.equal(masked("0008 1d"), "000811");
  assert.equal(masked("0008"), "0008");
});

Deno.test("maskAnswer() leaves every other answer alone", () => {
  const data = fromHex("0000 0c0c 0c0c 0c0c");
  for (const action of ["readKeys", "readReservation", "readFullStatus"] as const) {
    assert.equal(maskAnswer(prInCdb(action, 8), { status: 0, sense: NOTHING, data }).data, data);
  }
  const failed = { status: 2, sense: NOTHING, data };
  assert.equal(maskAnswer(prInCdb("reportCapabilities", 8), failed), failed);
});

Deno.test("maskAnswer() does not write into the device's answer", () => {
  const data = fromHex("0008 1d 90 ea01 0000");
  maskAnswer(prInCdb("reportCapabilities", 8), { status: 0, sense: NOTHING, data });
  assert.equal(data[2], 0x1d);
});

const ROWS: [PrOutAction, flags: number, refused: string | null][] = [
  ["register", 0x01, null],
  ["register", 0x08, "05/26/00"],
  ["register", 0x04, "05/26/00"],
  ["registerAndIgnore", 0x04, "05/26/00"],
  ["registerAndIgnore", 0x0c, "05/26/00"],
  ["reserve", 0x04, null],
  ["reserve", 0x08, "05/26/00"],
  ["preempt", 0x00, null],
  ["registerAndMove", 0x00, "05/24/00"],
];
for (const [action, flags, wanted] of ROWS) {
  Deno.test(`refusalOf(): ${action} with flags ${flags.toString(16)}h: ${wanted ?? "let through"}`, () => {
    const list = new Uint8Array(24);
    list[20] = flags;
    const answer = refusalOf(prOutCdb({ action }), list);
    const sense = answer && decodeSense(answer.sense);
    assert.equal(sense && senseCode(sense), wanted);
  });
}

Deno.test("refusalOf() lets PR IN and lists too short for flags through", () => {
  assert.equal(refusalOf(prInCdb("readKeys", 8), NOTHING), null);
  assert.equal(
    refusalOf(prOutCdb({ action: "register", parameterListLength: 20 }), new Uint8Array(20).fill(0xff)),
    null,
  );
});
