import assert from "node:assert/strict";
import { fromHex } from "../../../lib/bytes.ts";
import { decodeSense, describeSense, encodeSense } from "../../../lib/scsi/sense.ts";
import { loadVector } from "../../support/vectors.ts";

const VECTORS = [
  ["V42", "fixed", "UNIT ATTENTION, Registrations preempted (06/2A/05)"],
  ["V43", "descriptor", "UNIT ATTENTION, Reservations released (06/2A/04)"],
  ["V44", "fixed", "UNIT ATTENTION, Reservations preempted (06/2A/03)"],
  ["V45", "fixed", "ILLEGAL REQUEST, Invalid field in parameter list, parameter list byte 8 (05/26/00)"],
  ["V46", "fixed", "ILLEGAL REQUEST, Invalid release of persistent reservation (05/26/04)"],
  ["V47", "fixed", "ILLEGAL REQUEST, Invalid field in CDB, CDB byte 2 bit 3 (05/24/00)"],
  ["V48", "fixed", "NOT READY, Logical unit communication failure (02/08/00)"],
  ["V49", "descriptor", "ILLEGAL REQUEST, Insufficient registration resources (05/55/04)"],
  ["V50", "descriptor", "DATA PROTECT, Persistent reservation information lost (07/44/01)"],
  ["V51", "descriptor", "UNIT ATTENTION, I_T nexus loss occurred (06/29/07)"],
] as const;

for (const [name, format, words] of VECTORS) {
  Deno.test(`${name} decodes as ${words}, and encodes to the same bytes`, () => {
    const bytes = loadVector("sense.hex", name);
    const sense = decodeSense(bytes);
    assert.ok(sense);
    assert.equal(sense.format, format);
    assert.equal(sense.deferred, false);
    assert.equal(describeSense(sense), words);
    assert.deepEqual(encodeSense(sense.key, sense.asc, sense.ascq, format, sense.fieldPointer), bytes);
  });
}

const CUT = [
  ["8 bytes of fixed sense, as QEMU passes them", "7000060000000000", [6, 0, 0]],
  ["8 of 18 bytes, ADDITIONAL LENGTH still 0Ah", "700006000000000a", [6, 0, 0]],
  ["3 bytes", "700006", [6, 0, 0]],
  ["ASC without ASCQ", "700006000000000a000000002a", [6, 0x2a, 0]],
  ["ASC beyond ADDITIONAL LENGTH is not sense data", "700006000000000200000000 2a05 00000000", [6, 0, 0]],
  ["descriptor format, key only", "7206", [6, 0, 0]],
  ["descriptor format without ASCQ", "72062a", [6, 0x2a, 0]],
  ["descriptor whose length points outside the data", "72052400000000ff02ff0000", [5, 0x24, 0]],
] as const;

for (const [what, hex, [key, asc, ascq]] of CUT) {
  Deno.test(`decodeSense() of ${what}: what is missing reads as 0`, () => {
    const sense = decodeSense(fromHex(hex));
    assert.deepEqual([sense?.key, sense?.asc, sense?.ascq, sense?.fieldPointer], [key, asc, ascq, undefined]);
  });
}

Deno.test("decodeSense() gives null for what is no sense data", () => {
  for (const hex of ["", "00", "70", "7000", "72", "7f000600", "000006000000000a000000002a05", "6f0006"]) {
    assert.equal(decodeSense(fromHex(hex)), null, hex);
  }
});

Deno.test("decodeSense() ignores the VALID bit and marks deferred errors", () => {
  assert.equal(decodeSense(fromHex("f00006"))?.deferred, false);
  const deferred = decodeSense(fromHex("71 00 03 00000000 0a 00000000 0c 00 00000000"));
  assert.equal(deferred?.deferred, true);
  assert.equal(
    describeSense(deferred!),
    "MEDIUM ERROR, Write error (03/0C/00), deferred from an earlier command",
  );
  assert.equal(decodeSense(fromHex("7306290700000000"))?.deferred, true);
});

Deno.test("decodeSense() finds the field pointer behind another descriptor", () => {
  const bytes = fromHex("72 05 26 00 000000 14  00 0a 80 00 0000000000000001  02 06 0000 80 0014 00");
  assert.deepEqual(decodeSense(bytes)?.fieldPointer, { inCdb: false, byte: 20, bit: null });
});

Deno.test("decodeSense() takes sense-key specific bytes of other keys for no field pointer", () => {
  assert.equal(decodeSense(fromHex("70 00 02 00000000 0a 00000000 04 04 00 80 4000"))?.fieldPointer, undefined);
});

Deno.test("describeSense() shows a code without a name by its number", () => {
  const sense = { format: "fixed", deferred: false, key: 4, asc: 0x80, ascq: 0x1f } as const;
  assert.equal(describeSense(sense), "HARDWARE ERROR (04/80/1F)");
});

Deno.test("encodeSense() refuses what does not fit", () => {
  assert.throws(() => encodeSense(16, 0, 0), RangeError);
  assert.throws(() => encodeSense(5, 256, 0), RangeError);
  assert.throws(() => encodeSense(5, 0x24, 0, "fixed", { inCdb: true, byte: 0, bit: 8 }), RangeError);
});
