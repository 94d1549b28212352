import assert from "node:assert/strict";
import { fromHex } from "../../../lib/bytes.ts";
import { conflict, exchange, FakeNexus, good, senseOf } from "../../support/fake_nexus.ts";

const INQUIRY = fromHex("12 00 00 00 60 00");

Deno.test("FakeNexus plays its script and cuts data-in to the allocation length", async () => {
  using nexus = new FakeNexus([
    exchange("12 00 00 00 60 00", good("00 01 02 03"), { allocationLength: 2 }),
    exchange("5f00000000000000 1800", conflict(), { dataOut: "0a0b" }),
    exchange("120000006000", senseOf(6, 0x2a, 5)),
  ]);
  assert.deepEqual(await nexus.execute(INQUIRY, 2), { status: 0, sense: fromHex(""), dataIn: fromHex("0001") });
  assert.equal((await nexus.execute(fromHex("5f000000000000001800"), fromHex("0a0b"))).status, 0x18);
  assert.equal((await nexus.execute(INQUIRY, 0)).sense[12], 0x2a);
});

Deno.test("FakeNexus fails on disposal when a command was never sent", () => {
  const nexus = new FakeNexus([exchange("00 00 00 00 00 00")]);
  assert.throws(() => nexus[Symbol.dispose](), /never sent/);
});

Deno.test("FakeNexus fails on disposal when a surprise was swallowed", async () => {
  const nexus = new FakeNexus([]);
  await nexus.execute(INQUIRY, 0).catch(() => {});
  assert.throws(() => nexus[Symbol.dispose](), /not in the script/);
});

Deno.test("FakeNexus insists on CDB and data-out", async () => {
  const other = new FakeNexus([exchange("00 00 00 00 00 00")]);
  await assert.rejects(other.execute(INQUIRY, 0), /command 1/);
  const data = new FakeNexus([exchange("5f000000000000001800", good(), { dataOut: "01" })]);
  await assert.rejects(data.execute(fromHex("5f000000000000001800"), fromHex("02")), /data-out/);
});
