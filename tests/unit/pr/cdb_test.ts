import assert from "node:assert/strict";
import { concat, fromHex, ShortBuffer } from "../../../lib/bytes.ts";
import {
  decodePrCdb,
  type PrInAction,
  prInActionName,
  prInCdb,
  prOutActionName,
  prOutCdb,
} from "../../../lib/pr/cdb.ts";
import { Malformed } from "../../../lib/pr/malformed.ts";
import { loadVector } from "../../support/vectors.ts";

const READS: readonly (readonly [string, PrInAction, number])[] = [
  ["V1", "readKeys", 8192],
  ["V2", "readReservation", 24],
  ["V3", "reportCapabilities", 8],
  ["V4", "readFullStatus", 8192],
];

for (const [name, action, allocationLength] of READS) {
  Deno.test(`${name}: prInCdb(${action}, ${allocationLength})`, () => {
    assert.deepEqual(prInCdb(action, allocationLength), loadVector("cdb_in.hex", name));
  });
}

Deno.test("decodePrCdb() takes the 16 bytes of the pr-helper protocol, if the last six are zero", () => {
  const cdb = prOutCdb({ action: "preempt", type: 5 });
  const wanted = { kind: "out", action: 4, scope: 0, type: 5, parameterListLength: 24 };
  assert.deepEqual(decodePrCdb(cdb), wanted);
  assert.deepEqual(decodePrCdb(concat(cdb, new Uint8Array(6))), wanted);
  assert.throws(() => decodePrCdb(concat(cdb, Uint8Array.of(0, 0, 0, 0, 0, 1))), Malformed);
});

Deno.test("decodePrCdb() reads PARAMETER LIST LENGTH as 32 bits and SERVICE ACTION without its reserved bits", () => {
  assert.deepEqual(decodePrCdb(fromHex("5f e4 25 00 00 01020018 00")), {
    kind: "out",
    action: 4,
    scope: 2,
    type: 5,
    parameterListLength: 0x01020018,
  });
});

Deno.test("decodePrCdb() names other commands by operation code, and refuses a cut PR command", () => {
  assert.deepEqual(decodePrCdb(fromHex("00 00 00 00 00 00")), { kind: "other", opcode: 0 });
  assert.throws(() => decodePrCdb(fromHex("")), ShortBuffer);
  assert.throws(() => decodePrCdb(fromHex("5e0000000000002000")), ShortBuffer);
});

Deno.test("command blocks refuse what does not fit", () => {
  assert.throws(() => prInCdb("readKeys", 65536), RangeError);
  assert.throws(() => prInCdb(0x20, 8), RangeError);
  assert.throws(() => prOutCdb({ action: "reserve", type: 16 }), RangeError);
  assert.throws(() => prOutCdb({ action: "reserve", scope: -1 }), RangeError);
});

Deno.test("reserved service actions are named by number", () => {
  assert.equal(prInActionName(0x1f), "service action 1Fh");
  assert.equal(prOutActionName(6), "REGISTER AND IGNORE EXISTING KEY");
  assert.equal(prOutActionName(9), "service action 09h");
});
