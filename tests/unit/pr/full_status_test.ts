import assert from "node:assert/strict";
import { BeWriter, fromHex, ShortBuffer } from "../../../lib/bytes.ts";
import { decodeFullStatus, encodeFullStatus } from "../../../lib/pr/full_status.ts";
import { loadVector } from "../../support/vectors.ts";

const K = 0x1122334455667788n;
const X = 0xa5a5000000000001n;
const FC_HOLDER = {
  key: K,
  holder: true,
  held: { scope: 0, type: 5 },
  relativeTargetPort: 1,
  transportId: { protocol: "fc", address: "2100001b329a1c07" },
} as const;
const SAS = {
  key: X,
  holder: false,
  held: null,
  relativeTargetPort: 2,
  transportId: { protocol: "sas", address: "500062b200c4e6f1" },
} as const;
const ISCSI_HOLDER = {
  key: K,
  holder: true,
  held: { scope: 0, type: 7 },
  relativeTargetPort: 1,
  transportId: { protocol: "iscsi", address: "iqn.1994-05.com.redhat:dst,i,0x00023d000001" },
} as const;

Deno.test("V15: an FC holder and a SAS registrant", () => {
  const answer = { generation: 0x11, registrations: [FC_HOLDER, SAS] };
  assert.deepEqual(decodeFullStatus(loadVector("full_status.hex", "V15")), { kind: "complete", ...answer });
  assert.deepEqual(encodeFullStatus(answer), loadVector("full_status.hex", "V15"));
});

Deno.test("V16: one iSCSI port under type 7", () => {
  const answer = { generation: 0x12, registrations: [ISCSI_HOLDER] };
  assert.deepEqual(decodeFullStatus(loadVector("full_status.hex", "V16")), { kind: "complete", ...answer });
  assert.deepEqual(encodeFullStatus(answer), loadVector("full_status.hex", "V16"));
});

Deno.test("V15 cut at every byte: whole descriptors, and nothing invented", () => {
  const whole = loadVector("full_status.hex", "V15");
  for (let cut = 0; cut < whole.length; cut++) {
    const run = (): unknown => decodeFullStatus(whole.subarray(0, cut));
    if (cut < 8) assert.throws(run, ShortBuffer);
    else {
      const registrations = [FC_HOLDER, SAS].slice(0, Math.floor((cut - 8) / 48));
      assert.deepEqual(run(), { kind: "truncated", generation: 0x11, registrations, neededBytes: 104 });
    }
  }
});

Deno.test("V15 with an ADDITIONAL DESCRIPTOR LENGTH beyond the data: stop and say what it would take", () => {
  const bytes = loadVector("full_status.hex", "V15");
  bytes.set([0xff, 0xff, 0xff, 0xff], 8 + 20);
  const needed = 8 + 24 + 0xffffffff;
  assert.deepEqual(decodeFullStatus(bytes), {
    kind: "truncated",
    generation: 0x11,
    registrations: [],
    neededBytes: needed,
  });
});

Deno.test("V15 with a descriptor of 24 + 4 bytes too many behind it: the piece is not a registration", () => {
  const bytes = new BeWriter(104 + 4).put(0, loadVector("full_status.hex", "V15")).u32(4, 100).bytes;
  const said = decodeFullStatus(bytes);
  assert.equal(said.kind, "truncated");
  assert.deepEqual(said.registrations, [FC_HOLDER, SAS]);
});

Deno.test("V16 with the NUL missing: the whole field is the name", () => {
  const bytes = loadVector("full_status.hex", "V16");
  bytes[bytes.length - 1] = "f".charCodeAt(0);
  assert.equal(
    decodeFullStatus(bytes).registrations[0]?.transportId.address,
    ISCSI_HOLDER.transportId.address + "f",
  );
});

Deno.test("ALL_TG_PT: every target port, and the port field means nothing", () => {
  const bytes = loadVector("full_status.hex", "V16");
  bytes[8 + 12] = 0x03;
  assert.equal(decodeFullStatus(bytes).registrations[0]?.relativeTargetPort, "all");
  const registrations = [{ ...SAS, relativeTargetPort: "all" } as const];
  const said = decodeFullStatus(encodeFullStatus({ generation: 1, registrations }));
  assert.deepEqual(said.registrations, registrations);
});

Deno.test("scope and type of a descriptor without R_HOLDER are undefined, and not shown", () => {
  const bytes = loadVector("full_status.hex", "V15"); // LIO leaves a type in the sender's after REGISTER AND MOVE
  bytes[8 + 48 + 13] = 0x55;
  assert.deepEqual(decodeFullStatus(bytes).registrations[1], SAS);
});

Deno.test("bytes behind ADDITIONAL LENGTH are no registrations", () => {
  const bytes = new BeWriter(8192).put(0, loadVector("full_status.hex", "V15")).bytes.fill(0xff, 104);
  assert.deepEqual(decodeFullStatus(bytes).registrations, [FC_HOLDER, SAS]);
});

Deno.test("a TransportID the standard does not know stays as it is, whatever its length", () => {
  for (const address of ["", "09", "090000000000000000000000", "45000010" + "41".repeat(16)]) {
    const registrations = [{ ...SAS, transportId: { protocol: "unknown", address } } as const];
    const bytes = encodeFullStatus({ generation: 1, registrations });
    assert.deepEqual(decodeFullStatus(bytes), { kind: "complete", generation: 1, registrations });
  }
});

Deno.test("encodeFullStatus() refuses what does not fit", () => {
  const one = (entry: object): () => unknown => () =>
    encodeFullStatus({ generation: 1, registrations: [{ ...FC_HOLDER, ...entry }] });
  assert.throws(one({ key: -1n }), RangeError);
  assert.throws(one({ relativeTargetPort: 65536 }), RangeError);
  assert.throws(one({ held: { scope: 16, type: 5 } }), RangeError);
  assert.throws(one({ transportId: { protocol: "fc", address: "21" } }), RangeError);
  assert.deepEqual(fromHex("00000001 00000000"), encodeFullStatus({ generation: 1, registrations: [] }));
});
