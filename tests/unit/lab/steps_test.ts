/** PERSISTENT RESERVE OUT as it is read off the wire: frames built here by hand. */
import assert from "node:assert/strict";
import { drawMoments, MOMENTS, stepOf } from "../../lab/hosts/cuts.ts";
import { StepReader } from "../../lab/hosts/steps.ts";

const SRC = [10, 0, 0, 2], TARGET = [10, 0, 0, 1];
const PORT = 40_000, ISCSI = 3260;

function frame(
  from: number[],
  to: number[],
  ports: [number, number],
  sequence: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(14 + 20 + 20 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, 40 + payload.length);
  view.setUint8(23, 6);
  bytes.set(from, 26);
  bytes.set(to, 30);
  view.setUint16(34, ports[0]);
  view.setUint16(36, ports[1]);
  view.setUint32(38, sequence);
  view.setUint8(46, 5 << 4);
  bytes.set(payload, 54);
  return bytes;
}

const out = (sequence: number, payload: Uint8Array): Uint8Array => frame(SRC, TARGET, [PORT, ISCSI], sequence, payload);
const back = (sequence: number, payload: Uint8Array): Uint8Array =>
  frame(TARGET, SRC, [ISCSI, PORT], sequence, payload);

/** REGISTER 7 -> 9, task 5. */
function register(): Uint8Array {
  const unit = new Uint8Array(48 + 24);
  const view = new DataView(unit.buffer);
  view.setUint8(0, 0x01);
  view.setUint32(4, 24);
  view.setUint32(16, 5);
  unit.set([0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0], 32);
  view.setBigUint64(48, 7n);
  view.setBigUint64(56, 9n);
  return unit;
}

function response(task: number, status: number): Uint8Array {
  const unit = new Uint8Array(48);
  const view = new DataView(unit.buffer);
  view.setUint8(0, 0x21);
  view.setUint8(3, status);
  view.setUint32(16, task);
  return unit;
}

const SENT = { kind: "sent", initiator: "10.0.0.2", action: "REGISTER", rk: 7n, sark: 9n, status: 0 };

Deno.test("StepReader: a command is complete with its last frame, and its answer is known by the task", () => {
  const reader = new StepReader();
  const unit = register();
  assert.deepEqual(reader.read(out(100, unit.subarray(0, 48))), []);
  assert.deepEqual(reader.read(out(148, unit.subarray(48))), [SENT]);
  assert.deepEqual(reader.read(back(900, response(4, 0))), []);
  assert.deepEqual(reader.read(back(948, response(5, 0x18))), [{ ...SENT, kind: "answered", status: 0x18 }]);
});

Deno.test("StepReader: what is sent again counts once, and after a gap it goes on", () => {
  const reader = new StepReader();
  assert.equal(reader.read(out(100, register())).length, 1);
  assert.equal(reader.read(out(100, register())).length, 0);
  assert.equal(reader.read(out(172, register().subarray(0, 20))).length, 0);
  assert.equal(reader.read(out(5000, register())).length, 1);
});

Deno.test("stepOf() tells the three steps of a hand-over from what else is sent", () => {
  const scene = { key: 7n, src: "10.0.0.2", dst: "10.0.0.3" };
  const command = { ...SENT, kind: "sent" as const };
  assert.equal(stepOf(command, scene), "commit");
  assert.equal(stepOf({ ...command, sark: 7n }, scene), null);
  assert.equal(stepOf({ ...command, initiator: scene.dst, rk: 0n, sark: 7n }, scene), "prepare");
  assert.equal(stepOf({ ...command, initiator: scene.dst, action: "PREEMPT" }, scene), "take");
});

Deno.test("drawMoments() gives every cut its turn, none twice, and the same for a seed", () => {
  const drawn = drawMoments(1, MOMENTS.length);
  assert.equal(new Set(drawn.map((each) => JSON.stringify(each))).size, MOMENTS.length);
  assert.equal(new Set(drawMoments(2, 4).map(({ cut }) => cut)).size, 4);
  assert.deepEqual(drawMoments(3, 8), drawMoments(3, 8));
});
