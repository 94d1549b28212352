import assert from "node:assert/strict";
import { fromHex } from "../../../lib/bytes.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import { describeCommand, describePrIn, describeReply, traced } from "../../../lib/pr/describe.ts";
import { readOnly } from "../../../lib/pr/read_only.ts";
import { readState } from "../../../lib/pr/read_state.ts";
import { check, conflict, exchange, FakeNexus, good, lostInTransport } from "../../support/fake_nexus.ts";
import { loadVector } from "../../support/vectors.ts";

const K = "0x1122334455667788";
const X = "0xa5a5000000000001";
const Y = "0xd5d5000000000002";
const NO_KEY = "0x0000000000000000";
const ISCSI = "iscsi iqn.1994-05.com.redhat:dst,i,0x00023d000001";

const COMMANDS = [
  ["V17", `REGISTER, rk=${NO_KEY} sark=${K} aptpl`],
  ["V21", `REGISTER AND IGNORE EXISTING KEY, rk=${NO_KEY} sark=${Y} all_tg_pt`],
  ["V22", `RESERVE, type 5 (Write Exclusive, Registrants Only), rk=${K} sark=${NO_KEY}`],
  ["V25", `CLEAR, rk=${K} sark=${NO_KEY}`],
  ["V26", `PREEMPT, type 5 (Write Exclusive, Registrants Only), rk=${Y} sark=${X}`],
  ["V30", `PREEMPT, type 0 (reserved), rk=${K} sark=${K}`],
  ["V31", `REGISTER, rk=${NO_KEY} sark=${K} aptpl spec_i_pt [sas 500062b200c4e6f1]`],
  ["V32", `REGISTER AND MOVE, rk=${K} sark=${K} aptpl unreg to fc 2100001b329a1c07 through target port 2`],
  ["V33", `REGISTER AND MOVE, rk=${K} sark=${Y} to ${ISCSI} through target port 1`],
  ["V34", `REPLACE LOST RESERVATION, type 1 (Write Exclusive), rk=${NO_KEY} sark=${K}`],
] as const;

for (const [name, words] of COMMANDS) {
  Deno.test(`describeCommand() of ${name}`, () => {
    const [cdb, data] = [loadVector("pr_out.hex", `${name} cdb`), loadVector("pr_out.hex", `${name} data`)];
    assert.equal(describeCommand(cdb, data), `PERSISTENT RESERVE OUT, ${words}`);
  });
}

const OTHERS = [
  ["00 00 00 00 00 00", "TEST UNIT READY"],
  ["12 00 00 00 24 00", "INQUIRY"],
  ["12 01 83 00 fc 00", "INQUIRY, VPD page 83h"],
  ["c5 00 00 00 00 00", "command C5h"],
  ["5e 03 00 00 00 00 00 20 00 00", "PERSISTENT RESERVE IN, READ FULL STATUS"],
  ["5e 1f 00 00 00 00 00 20 00 00", "PERSISTENT RESERVE IN, service action 1Fh"],
  [
    "5f 01 15 00 00 00 00 00 18 00",
    "PERSISTENT RESERVE OUT, RESERVE, scope 1, type 5 (Write Exclusive, Registrants Only)",
  ],
  ["5f 00", "PERSISTENT RESERVE OUT (cannot be decoded: CONTROL needs bytes 9 to 9, but there are only 2)"],
  ["", "TEST UNIT READY (cannot be decoded: OPERATION CODE needs bytes 0 to 0, but there are only 0)"],
] as const;

for (const [hex, words] of OTHERS) {
  Deno.test(`describeCommand() of "${hex}"`, () => assert.equal(describeCommand(fromHex(hex), 8192), words));
}

Deno.test("describeCommand() says of a cut parameter list that it is cut", () => {
  const words = describeCommand(loadVector("pr_out.hex", "V17 cdb"), new Uint8Array(23));
  assert.match(words, /REGISTER, parameter list \(cannot be decoded: .* only 23\)$/);
});

const ANSWERS = [
  ["read_keys.hex", "V5", 0, ["generation 42, 0 keys"]],
  ["read_keys.hex", "V6", 0, ["generation 12, 3 keys", K, K, X]],
  ["read_keys.hex", "V7", 0, ["generation 12, 0 of 2 keys (cut short)"]],
  ["read_reservation.hex", "V8", 1, ["generation 5, no reservation"]],
  ["read_reservation.hex", "V9", 1, [`generation 5, type 5 (Write Exclusive, Registrants Only) under ${K}`]],
  ["capabilities.hex", "V12", 2, ["PTPL_C PTPL_A ATP_C SIP_C CRH, allow commands 4, types 1 3 5 6 7 8"]],
  ["capabilities.hex", "V13", 2, ["no optional capability, allow commands 0, types 1 3 5 6 7 8"]],
  ["full_status.hex", "V15", 3, [
    "generation 17, 2 registrations",
    `${K} fc 2100001b329a1c07, target port 1, holds type 5 (Write Exclusive, Registrants Only)`,
    `${X} sas 500062b200c4e6f1, target port 2`,
  ]],
  ["full_status.hex", "V16", 3, [
    "generation 18, 1 registration",
    `${K} ${ISCSI}, target port 1, holds type 7 (Write Exclusive, All Registrants)`,
  ]],
  ["full_status.hex", "V16", 9, ["80 bytes of service action 09h"]],
] as const;

for (const [file, name, action, lines] of ANSWERS) {
  Deno.test(`describePrIn(${action}) of ${name}`, () => {
    assert.deepEqual(describePrIn(action, loadVector(file, name)), lines);
  });
}

Deno.test("describePrIn() says of cut answers that they are cut", () => {
  const v15 = loadVector("full_status.hex", "V15");
  assert.match(describePrIn(3, v15.subarray(0, 60))[0]!, /1 registration \(cut short: at least 104 bytes needed\)/);
  assert.match(describePrIn(1, fromHex("00000005 00000010"))[0]!, /cut short: 24 bytes needed/);
  assert.match(describePrIn(2, fromHex("0008"))[0]!, /cut short: 8 bytes needed/);
  assert.match(describePrIn(0, fromHex("0008"))[0]!, /READ KEYS \(cannot be decoded: PRGENERATION/);
  assert.match(
    describePrIn(2, fromHex("0008000000000000"))[0]!,
    /no optional capability, allow commands 0, no type mask/,
  );
});

Deno.test("describeReply(): outcome, and the data of PERSISTENT RESERVE IN", () => {
  const NONE = new Uint8Array();
  const keys = loadVector("read_keys.hex", "V6");
  const cdb = loadVector("cdb_in.hex", "V1");
  assert.equal(
    describeReply(cdb, { status: 0, sense: NONE, dataIn: keys }),
    `GOOD: generation 12, 3 keys: ${K}; ${K}; ${X}`,
  );
  assert.equal(describeReply(cdb, { status: 0x18, sense: NONE, dataIn: NONE }), "RESERVATION CONFLICT");
  const inquiry = { status: 0, sense: NONE, dataIn: new Uint8Array(36) };
  assert.equal(describeReply(fromHex("12 00 00 00 24 00"), inquiry), "GOOD: 36 bytes");
});

Deno.test("traced() tells every command with its answer, and what was not sent", async () => {
  const lines: string[] = [];
  using nexus = new FakeNexus([
    exchange("5f 04 05 00 00 00 00 00 18 00"),
    exchange("5f 04 05 00 00 00 00 00 18 00", conflict()),
    exchange("00 00 00 00 00 00", check("70 00 06 00000000 0a 00000000 2a 05 00000000")),
    exchange("00 00 00 00 00 00", lostInTransport(3)),
    exchange("00 00 00 00 00 00", new Error("No such device")),
  ], { address: "/dev/sg3" });
  const watched = traced(nexus, (line) => lines.push(line));
  const preempt = { action: "preempt", rk: 1n, sark: 2n, type: 5 } as const;
  await prOut(watched, preempt);
  await prOut(watched, preempt);
  await watched.execute(new Uint8Array(6), 0);
  await watched.execute(new Uint8Array(6), 0);
  await assert.rejects(watched.execute(new Uint8Array(6), 0), { message: "No such device" });
  const sent = "/dev/sg3: PERSISTENT RESERVE OUT, PREEMPT, type 5 (Write Exclusive, Registrants Only), " +
    "rk=0x0000000000000001 sark=0x0000000000000002";
  assert.deepEqual(lines, [
    `${sent} -> GOOD`,
    `${sent} -> RESERVATION CONFLICT`,
    "/dev/sg3: TEST UNIT READY -> UNIT ATTENTION, Registrations preempted (06/2A/05)",
    "/dev/sg3: TEST UNIT READY -> outcome unknown: host status TIME_OUT (03h)",
    "/dev/sg3: TEST UNIT READY -> not sent: No such device",
  ]);
  watched.close();
  assert.equal(nexus.closed, 1);
});

Deno.test("readOnly() lets reads through, and no PERSISTENT RESERVE OUT", async () => {
  using nexus = new FakeNexus([
    exchange("5e 03 00 00 00 00 00 20 00 00", good("00000000 00000000")),
    exchange("5e 01 00 00 00 00 00 00 18 00", good("00000000 00000000")),
  ], { address: "/dev/sg3" });
  const safe = readOnly(nexus);
  assert.equal((await readState(safe)).reservation, null);
  await assert.rejects(prOut(safe, { action: "clear", rk: 1n }), /\/dev\/sg3, which is open for reading only/);
  assert.equal(safe.address, "/dev/sg3");
  safe.close();
  assert.equal(nexus.closed, 1);
});
