import assert from "node:assert/strict";
import { concat, fromHex, ShortBuffer, toHex } from "../../../lib/bytes.ts";
import { Malformed } from "../../../lib/pr/malformed.ts";
import {
  decodeTransportId,
  encodeTransportId,
  iscsiName,
  readTransportId,
  sameTransportId,
  type TransportId,
} from "../../../lib/pr/transport_id.ts";
import { loadVector } from "../../support/vectors.ts";

const VECTORS: readonly (readonly [string, TransportId, number])[] = [
  ["V36", { protocol: "iscsi", address: "iqn.1994-05.com.redhat:dst" }, 32],
  ["V37", { protocol: "iscsi", address: "iqn.2001-04.a:b" }, 24],
  ["V38", { protocol: "srp", address: "fe800000000000000002c90300fedcba" }, 24],
  ["V39", { protocol: "spi", address: "7,1" }, 24],
  ["V40", { protocol: "sop", address: "0305" }, 24],
  ["V41", { protocol: "sbp", address: "00d0b5fffe123456" }, 24],
];

for (const [name, id, length] of VECTORS) {
  Deno.test(`${name}: ${id.protocol} ${id.address}`, () => {
    const bytes = loadVector("transport_id.hex", name);
    assert.deepEqual(decodeTransportId(bytes), { id, length });
    assert.deepEqual(encodeTransportId(id), bytes);
  });
}

Deno.test("decodeTransportId() takes the first of a list", () => {
  const list = concat(...VECTORS.map(([name]) => loadVector("transport_id.hex", name)));
  const seen: TransportId[] = [];
  for (let at = 0; at < list.length;) {
    const { id, length } = decodeTransportId(list.subarray(at));
    seen.push(id);
    at += length;
  }
  assert.deepEqual(seen, VECTORS.map(([, id]) => id));
});

Deno.test("decodeTransportId() of a cut one: ShortBuffer at every byte", () => {
  for (const [name] of VECTORS) {
    const whole = loadVector("transport_id.hex", name);
    for (let cut = 0; cut < whole.length; cut++) {
      assert.throws(() => decodeTransportId(whole.subarray(0, cut)), ShortBuffer, `${name} cut at ${cut}`);
    }
  }
});

Deno.test("decodeTransportId() refuses an iSCSI length below 20 or not a multiple of 4", () => {
  for (const length of ["0000", "0010", "0015"]) {
    assert.throws(() => decodeTransportId(fromHex(`0500${length}${"61".repeat(64)}`)), Malformed);
  }
});

const KEPT_RAW = [
  ["UAS, which has no TransportID", "09" + "00".repeat(23)],
  ["FC with a format code", "40" + "00".repeat(23)],
  ["iSCSI with a format code of 2", "85000014" + "61".repeat(19) + "00"],
  ["an iSCSI name that is not UTF-8", "05000014" + "ff".repeat(19) + "00"],
  ["an iSCSI name that would drive a terminal", "05000014" + "1b5b324a" + "61".repeat(15) + "00"],
  ["an iSCSI name that would turn the line around", "05000014" + "e280ae" + "61".repeat(16) + "00"],
  ["an empty iSCSI name", "05000014" + "00".repeat(20)],
  ["format 01b without an ISID", "45000014" + "61".repeat(19) + "00"],
  ["format 00b with an ISID", "05000014" + "612c692c307831".padEnd(40, "0")],
  ["an iSCSI length beyond the field", "050000ff" + "61".repeat(20)],
  ["SAS of 20 bytes", "06" + "00".repeat(19)],
] as const;

for (const [what, hex] of KEPT_RAW) {
  Deno.test(`readTransportId() keeps ${what} as raw hex`, () => {
    const id = readTransportId(fromHex(hex));
    assert.deepEqual(id, { protocol: "unknown", address: hex });
    assert.equal(toHex(encodeTransportId(id)), hex);
  });
}

Deno.test("readTransportId() reads the short iSCSI ones LIO builds, and stops at the first NUL", () => {
  assert.deepEqual(readTransportId(fromHex("05000008" + "69716e2e61000000")), { protocol: "iscsi", address: "iqn.a" });
  const behindNul = fromHex("05000014" + "69716e2e6100" + "78".repeat(14));
  assert.deepEqual(readTransportId(behindNul), { protocol: "iscsi", address: "iqn.a" });
});

Deno.test("sameTransportId() goes by protocol and address, whatever the case", () => {
  const a: TransportId = { protocol: "iscsi", address: "iqn.2001-04.a:b,i,0x00023D000001" };
  assert.ok(sameTransportId(a, { protocol: "iscsi", address: "IQN.2001-04.a:b,i,0x00023d000001" }));
  assert.ok(!sameTransportId(a, { protocol: "iscsi", address: "iqn.2001-04.a:b,i,0x00023d000002" }));
  assert.ok(!sameTransportId(a, { protocol: "iscsi", address: "iqn.2001-04.a:b" }));
  assert.ok(!sameTransportId({ protocol: "fc", address: "21" }, { protocol: "sas", address: "21" }));
});

Deno.test("iscsiName() drops the ISID", () => {
  assert.equal(iscsiName({ protocol: "iscsi", address: "iqn.a:b,i,0x1" }), "iqn.a:b");
  assert.equal(iscsiName({ protocol: "iscsi", address: "iqn.a:b" }), "iqn.a:b");
  assert.equal(iscsiName({ protocol: "sas", address: "5000" }), undefined);
});

Deno.test("encodeTransportId() refuses an address that does not fit its protocol", () => {
  const bad: TransportId[] = [
    { protocol: "fc", address: "2100" },
    { protocol: "sas", address: "500062b200c4e6fz" },
    { protocol: "spi", address: "7" },
    { protocol: "spi", address: "70000,1" },
    { protocol: "iscsi", address: "" },
    { protocol: "iscsi", address: "iqn\0x" },
    { protocol: "iscsi", address: "a".repeat(70_000) },
  ];
  for (const id of bad) assert.throws(() => encodeTransportId(id), RangeError, `${id.protocol} ${id.address}`);
});
