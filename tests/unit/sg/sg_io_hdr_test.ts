import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../lib/bytes.ts";
import { BLOCK_OVERHEAD, SgBlock, type SgCommand } from "../../../lib/sg/sg_io_hdr.ts";

const BASE = 0x7f0000001000n;

/** A block that holds a command and has no room for more. */
function laidOut(command: SgCommand): SgBlock {
  const room = typeof command.data === "number" ? Math.max(0, command.data) : command.data.length;
  const block = new SgBlock(new Uint8Array(BLOCK_OVERHEAD + room), BASE);
  block.encode(command);
  return block;
}

Deno.test("SgBlock.encode() of a data-in command, byte by byte", () => {
  const { bytes: block } = laidOut({ cdb: fromHex("12 00 00 00 60 00"), data: 96, timeoutMs: 10_000 });
  assert.equal(block.length, 384 + 96);
  assert.equal(
    toHex(block.subarray(0, 88)),
    "53000000" + "fdffffff" + "06" + "fc" + "0000" + "60000000" + // 'S', from device, lengths
      "801100000" + "07f0000" + "581000000" + "07f0000" + "781000000" + "07f0000" + // data, CDB, sense
      "10270000" + "00".repeat(44),
  );
  assert.equal(toHex(block.subarray(88, 94)), "120000006000");
});

Deno.test("SgBlock.encode() of a data-out command carries the data and its direction", () => {
  const data = fromHex("11".repeat(24));
  const { bytes: block } = laidOut({ cdb: fromHex("5f000000000000001800"), data, timeoutMs: 1 });
  assert.equal(toHex(block.subarray(4, 8)), "feffffff");
  assert.equal(toHex(block.subarray(384)), "11".repeat(24));
});

Deno.test("SgBlock.encode() without data points nowhere", () => {
  const { bytes: block } = laidOut({ cdb: fromHex("000000000000"), data: 0, timeoutMs: 1 });
  assert.equal(toHex(block.subarray(4, 8)), "ffffffff");
  assert.equal(toHex(block.subarray(12, 24)), "00".repeat(12));
});

const REFUSED = [
  ["no CDB", { cdb: fromHex(""), data: 0, timeoutMs: 1 }],
  ["a CDB of 33 bytes", { cdb: new Uint8Array(33), data: 0, timeoutMs: 1 }],
  ["a negative length", { cdb: fromHex("00"), data: -1, timeoutMs: 1 }],
  ["a timeout of 0", { cdb: fromHex("00"), data: 0, timeoutMs: 0 }],
  ["a timeout of half a millisecond", { cdb: fromHex("00"), data: 0, timeoutMs: 0.5 }],
  ["a timeout beyond 32 bits", { cdb: fromHex("00"), data: 0, timeoutMs: 2 ** 32 }],
] as const;
for (const [what, command] of REFUSED) {
  Deno.test(`SgBlock.encode() refuses ${what}`, () => assert.throws(() => laidOut(command), RangeError));
}

/** A data-in command of 16 bytes as the kernel might hand it back. */
function answered(
  fields: { status?: number; host?: number; driver?: number; resid?: number; sense?: string },
): SgBlock {
  const block = laidOut({ cdb: fromHex("5e000000000000001000"), data: 16, timeoutMs: 1 });
  const { bytes } = block;
  const view = new DataView(bytes.buffer);
  const sense = fromHex(fields.sense ?? "");
  view.setUint8(64, fields.status ?? 0);
  view.setUint8(67, sense.length);
  view.setUint16(68, fields.host ?? 0, true);
  view.setUint16(70, fields.driver ?? 0, true);
  view.setInt32(72, fields.resid ?? 0, true);
  view.setUint32(76, 1234, true);
  bytes.set(sense, 120);
  bytes.fill(0xda, 384);
  return block;
}

const RESIDUALS = [
  [0, 16, "everything came"],
  [5, 11, "five bytes did not come"],
  [16, 0, "nothing came"],
  [-4, 16, "the device had more to say"],
  [17, 0, "more is missing than was asked for"],
  [0x7fffffff, 0, "nonsense"],
  [-0x80000000, 16, "nonsense"],
] as const;
for (const [resid, expected, why] of RESIDUALS) {
  Deno.test(`SgBlock.decode() with residual ${resid} gives ${expected} bytes: ${why}`, () => {
    assert.equal(toHex(answered({ resid }).decode().dataIn), "da".repeat(expected));
  });
}

Deno.test("SgBlock.decode() gives status, host, driver and as much sense as the kernel wrote", () => {
  const reply = answered({ status: 2, driver: 8, resid: 16, sense: "700006000000000a000000002a050000" }).decode();
  assert.deepEqual([reply.status, reply.hostStatus, reply.driverStatus, reply.durationMs], [2, 0, 8, 1234]);
  assert.equal(toHex(reply.sense), "700006000000000a000000002a050000");
});

Deno.test("SgBlock.decode() believes no data after a transport failure", () => {
  assert.equal(answered({ host: 3, resid: 0 }).decode().dataIn.length, 0);
});

Deno.test("SgBlock.decode() never calls data-out data-in, nor reads sense beyond its room", () => {
  const block = laidOut({ cdb: fromHex("5f000000000000001800"), data: new Uint8Array(24), timeoutMs: 1 });
  block.bytes[67] = 0xff;
  const reply = block.decode();
  assert.deepEqual([reply.dataIn.length, reply.sense.length], [0, 252]);
});

Deno.test("SgBlock.decode() gives copies, which a reused block cannot change", () => {
  const block = answered({ sense: "70" });
  const reply = block.decode();
  block.bytes.fill(0);
  assert.deepEqual([reply.dataIn[0], reply.sense[0]], [0xda, 0x70]);
});

Deno.test("SgBlock.encode() leaves nothing of what was in the block, be it a command's or anybody else's", () => {
  const command = { cdb: fromHex("5e000000000000001000"), data: 16, timeoutMs: 1 };
  const fresh = laidOut(command), used = laidOut(command);
  used.bytes.fill(0xa5);
  used.encode(command);
  assert.equal(toHex(used.bytes.subarray(0, 98)), toHex(fresh.bytes.subarray(0, 98)), "header and CDB");
  assert.equal(toHex(used.bytes.subarray(BLOCK_OVERHEAD)), "00".repeat(16));
});
