import assert from "node:assert/strict";
import { fromHex, ShortBuffer } from "../../../lib/bytes.ts";
import { decodeCapabilities, encodeCapabilities } from "../../../lib/pr/capabilities.ts";
import { Malformed } from "../../../lib/pr/malformed.ts";
import { decodeReadKeys, encodeReadKeys } from "../../../lib/pr/read_keys.ts";
import { decodeReadReservation, encodeReadReservation } from "../../../lib/pr/read_reservation.ts";
import { loadVector } from "../../support/vectors.ts";

const K = 0x1122334455667788n;
const X = 0xa5a5000000000001n;

Deno.test("V5: READ KEYS without registrations", () => {
  const answer = { generation: 0x2a, keys: [] };
  assert.deepEqual(decodeReadKeys(loadVector("read_keys.hex", "V5")), { kind: "complete", ...answer });
  assert.deepEqual(encodeReadKeys(answer), loadVector("read_keys.hex", "V5"));
});

Deno.test("V6: READ KEYS lists a shared key once for each registration", () => {
  const answer = { generation: 12, keys: [K, K, X] };
  assert.deepEqual(decodeReadKeys(loadVector("read_keys.hex", "V6")), { kind: "complete", ...answer });
  assert.deepEqual(encodeReadKeys(answer), loadVector("read_keys.hex", "V6"));
});

Deno.test("V6 with 20 bytes transferred: one whole key, and the partial one is not invented", () => {
  const cut = loadVector("read_keys.hex", "V6").subarray(0, 20);
  assert.deepEqual(decodeReadKeys(cut), { kind: "truncated", generation: 12, keys: [K], expected: 3, neededBytes: 32 });
});

Deno.test("V7: READ KEYS cut behind the header: 2 expected, 0 received", () => {
  const wanted = { kind: "truncated", generation: 12, keys: [], expected: 2, neededBytes: 24 };
  assert.deepEqual(decodeReadKeys(loadVector("read_keys.hex", "V7")), wanted);
});

Deno.test("decodeReadKeys() ignores a buffer's rest, and refuses a length that holds no whole keys", () => {
  const padded = fromHex("0000000c 00000008 1122334455667788 ffffffffffffffff");
  assert.deepEqual(decodeReadKeys(padded), { kind: "complete", generation: 12, keys: [K] });
  assert.throws(() => decodeReadKeys(fromHex("0000000c 00000009 1122334455667788 ff")), Malformed);
  const liar = decodeReadKeys(fromHex("00000001 fffffff8 1122334455667788"));
  assert.equal(liar.kind === "truncated" && liar.neededBytes, 0x1_0000_0000);
});

const RESERVATIONS = [
  ["V8", 5, null],
  ["V9", 5, { key: K, type: 5, scope: 0 }],
  ["V10", 9, { key: 0n, type: 7, scope: 0 }],
] as const;

for (const [name, generation, reservation] of RESERVATIONS) {
  Deno.test(`${name}: READ RESERVATION, type ${reservation?.type ?? "none"}`, () => {
    const bytes = loadVector("read_reservation.hex", name);
    assert.deepEqual(decodeReadReservation(bytes), { kind: "complete", generation, reservation });
    assert.deepEqual(encodeReadReservation({ generation, reservation }), bytes);
  });
}

Deno.test("decodeReadReservation() never invents a reservation from a cut answer", () => {
  const whole = loadVector("read_reservation.hex", "V9");
  for (let cut = 0; cut < whole.length; cut++) {
    const run = (): unknown => decodeReadReservation(whole.subarray(0, cut));
    if (cut < 8) assert.throws(run, ShortBuffer);
    else assert.deepEqual(run(), { kind: "truncated", generation: 5, neededBytes: 24 });
  }
});

Deno.test("decodeReadReservation() refuses an ADDITIONAL LENGTH too small for a reservation", () => {
  assert.throws(() => decodeReadReservation(fromHex("00000005 00000008 1122334455667788")), ShortBuffer);
  assert.throws(
    () => decodeReadReservation(fromHex("00000005 00000008 1122334455667788 0000000000050000")),
    ShortBuffer,
  );
});

const CAPABLE = {
  ptplCapable: true,
  ptplActive: false,
  allTargetPorts: true,
  specifyInitiatorPorts: true,
  types: [1, 3, 5, 6, 7, 8],
  replaceLost: false,
  compatibleReservationHandling: true,
  allowCommands: 1,
  typeMaskValid: true,
} as const;
const CAPABILITIES = [
  ["V11", "LIO", CAPABLE],
  ["V12", "SCST with APTPL", { ...CAPABLE, ptplActive: true, allowCommands: 4 }],
  ["V13", "tgt", {
    ...CAPABLE,
    ptplCapable: false,
    allTargetPorts: false,
    specifyInitiatorPorts: false,
    compatibleReservationHandling: false,
    allowCommands: 0,
  }],
  ["V14", "REPLACE LOST RESERVATION", { ...CAPABLE, ptplActive: true, replaceLost: true, allowCommands: 3 }],
] as const;

for (const [name, what, capabilities] of CAPABILITIES) {
  Deno.test(`${name}: REPORT CAPABILITIES (${what})`, () => {
    const bytes = loadVector("capabilities.hex", name);
    assert.deepEqual(decodeCapabilities(bytes), { kind: "complete", capabilities });
    assert.deepEqual(encodeCapabilities(capabilities), bytes);
  });
}

Deno.test("decodeCapabilities() reads single types from the mask, and all six where TMV is 0", () => {
  const types = (hex: string): unknown => {
    const said = decodeCapabilities(fromHex(hex));
    return said.kind === "complete" ? said.capabilities.types : said;
  };
  assert.deepEqual(types("0008 00 80 2001 0000"), [5, 8]);
  assert.deepEqual(types("0008 00 80 c800 0000"), [3, 6, 7]);
  assert.deepEqual(types("0008 00 80 0000 0000"), []);
  assert.deepEqual(types("0008 00 00 0000 0000"), [1, 3, 5, 6, 7, 8]);
  assert.deepEqual(types("0006 00 80 ea01"), [1, 3, 5, 6, 7, 8]);
  assert.deepEqual(types("0010 00 80 2001 0000"), [5, 8]); // a later standard may add bytes we did not ask for
});

Deno.test("decodeCapabilities() never invents capabilities from a cut answer", () => {
  const whole = loadVector("capabilities.hex", "V11");
  for (let cut = 0; cut < whole.length; cut++) {
    const run = (): unknown => decodeCapabilities(whole.subarray(0, cut));
    if (cut < 2) assert.throws(run, ShortBuffer);
    else assert.deepEqual(run(), { kind: "truncated", neededBytes: 8 });
  }
  assert.throws(() => decodeCapabilities(fromHex("0004 1d90ea010000")), ShortBuffer);
  assert.throws(() => decodeCapabilities(new Uint8Array(8)), ShortBuffer);
});
