import assert from "node:assert/strict";
import { fromHex, ReadBackError, toHex } from "../../../lib/bytes.ts";
import {
  type CloseReason,
  encodeGreeting,
  encodeReply,
  HelperConversation,
  type HelperRequest,
  type Step,
} from "../../../lib/snoop/helper_protocol.ts";
import { assertReads } from "../../../lib/snoop/reply_check.ts";

const READ_KEYS = fromHex("5e 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00");
const REGISTER = fromHex("5f 00 00 00 00 00 00 00 18 00 00 00 00 00 00 00");
const LIST = fromHex("0000000000000000 0000000000123abc 0000000000000000");
const FD = 41;

/** A conversation past its greeting. */
function greeted(): HelperConversation {
  const conversation = new HelperConversation();
  assert.deepEqual(conversation.receive(new Uint8Array(4)), { kind: "more" });
  return conversation;
}

function executes(step: Step): HelperRequest {
  assert.equal(step.kind, "execute");
  return (step as Extract<Step, { kind: "execute" }>).request;
}

function closes(step: Step, reason: CloseReason, descriptors: number[]): void {
  assert.deepEqual(step, { kind: "close", reason, descriptors });
}

Deno.test("the greeting is four zero bytes", () => assert.equal(toHex(encodeGreeting()), "00000000"));

Deno.test("a PR IN is one CDB with one descriptor", () => {
  const request = executes(greeted().receive(READ_KEYS, [FD]));
  assert.deepEqual([toHex(request.cdb), request.parameters.length, request.descriptor], [toHex(READ_KEYS), 0, FD]);
});

Deno.test("a PR OUT waits for its parameter list", () => {
  const conversation = greeted();
  assert.equal(conversation.receive(REGISTER, [FD]).kind, "more");
  assert.deepEqual(conversation.wants, { bytes: 24, descriptors: false });
  assert.equal(toHex(executes(conversation.receive(LIST)).parameters), toHex(LIST));
});

for (let cut = 1; cut < 16; cut++) {
  for (const bearer of ["first", "last"] as const) {
    Deno.test(`a CDB cut after ${cut} bytes, descriptor with the ${bearer} fragment`, () => {
      const conversation = greeted();
      assert.deepEqual(conversation.receive(READ_KEYS.subarray(0, cut), bearer === "first" ? [FD] : []), {
        kind: "more",
      });
      assert.deepEqual(conversation.wants, { bytes: 16 - cut, descriptors: true });
      const request = executes(conversation.receive(READ_KEYS.subarray(cut), bearer === "last" ? [FD] : []));
      assert.deepEqual([toHex(request.cdb), request.descriptor], [toHex(READ_KEYS), FD]);
    });
  }
}

for (let cut = 1; cut < 24; cut++) {
  Deno.test(`a parameter list cut after ${cut} bytes`, () => {
    const conversation = greeted();
    conversation.receive(REGISTER, [FD]);
    assert.equal(conversation.receive(LIST.subarray(0, cut)).kind, "more");
    assert.equal(toHex(executes(conversation.receive(LIST.subarray(cut))).parameters), toHex(LIST));
  });
}

Deno.test("a CDB byte by byte, the descriptor with any one of them", () => {
  for (let bearer = 0; bearer < 16; bearer++) {
    const conversation = greeted();
    const steps = Array.from(
      READ_KEYS,
      (byte, at) => conversation.receive(Uint8Array.of(byte), at === bearer ? [FD] : []),
    );
    assert.deepEqual(steps.slice(0, 15).map((step) => step.kind), Array(15).fill("more"));
    assert.equal(executes(steps[15]!).descriptor, FD);
  }
});

Deno.test("only bytes 7..8 count as a length", () => {
  const conversation = greeted();
  conversation.receive(fromHex("5f 00 00 00 00 ff ff 00 08 00 00 00 00 00 00 00"), [FD]);
  assert.equal(conversation.wants?.bytes, 8);
});

Deno.test("a PR OUT with an empty parameter list is executed at once", () => {
  const request = executes(greeted().receive(fromHex("5f 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), [FD]));
  assert.equal(request.parameters.length, 0);
});

Deno.test("a length of 8192 is served, 8193 closes, for both directions", () => {
  for (const opcode of [0x5e, 0x5f]) {
    const cdb = Uint8Array.of(opcode, 0, 0, 0, 0, 0, 0, 0x20, 0x00, 0, 0, 0, 0, 0, 0, 0);
    assert.notEqual(greeted().receive(cdb, [FD]).kind, "close");
    cdb[8] = 1;
    closes(greeted().receive(cdb, [FD]), "tooLong", [FD]);
  }
});

Deno.test("what ends a connection, and which descriptors go with it", () => {
  closes(new HelperConversation().receive(fromHex("00000001")), "features", []);
  closes(new HelperConversation().endOfFile(), "endOfFile", []);
  closes(greeted().endOfFile(), "endOfFile", []);
  closes(greeted().receive(READ_KEYS), "noDescriptor", []);
  closes(greeted().receive(fromHex("12".padEnd(32, "0")), [FD]), "opcode", [FD]);
  closes(greeted().receive(READ_KEYS, [FD, 42]), "descriptors", [FD, 42]);
  closes(greeted().receive(READ_KEYS, [FD], true), "descriptors", [FD]);
  closes(greeted().receive(READ_KEYS, [], true), "descriptors", []);
  const half = greeted();
  half.receive(READ_KEYS.subarray(0, 3), [FD]);
  closes(half.endOfFile(), "endOfFileInRequest", [FD]);
  const twice = greeted();
  twice.receive(READ_KEYS.subarray(0, 3), [FD]);
  closes(twice.receive(READ_KEYS.subarray(3), [42]), "descriptors", [FD, 42]);
  const inList = greeted();
  inList.receive(REGISTER, [FD]);
  inList.receive(LIST.subarray(0, 5));
  closes(inList.endOfFile(), "endOfFileInRequest", [FD]);
});

Deno.test("checks come in the stock program's order: descriptor, opcode, length", () => {
  const bad = fromHex("12 00 00 00 00 00 00 ff ff 00 00 00 00 00 00 00");
  closes(greeted().receive(bad), "noDescriptor", []);
  closes(greeted().receive(bad, [FD]), "opcode", [FD]);
});

Deno.test("nothing is read while a command runs, and the next request after the reply", () => {
  const conversation = greeted();
  conversation.receive(READ_KEYS, [FD]);
  assert.equal(conversation.wants, null);
  assert.throws(() => conversation.receive(READ_KEYS), RangeError);
  conversation.replied();
  assert.deepEqual(conversation.wants, { bytes: 16, descriptors: true });
  assert.equal(executes(conversation.receive(READ_KEYS, [42])).descriptor, 42);
});

Deno.test("the reply of the protocol's example, byte by byte", () => {
  const keys = fromHex("00000003 00000008 0000000000123abc");
  const reply = encodeReply(READ_KEYS, { status: 0, sense: new Uint8Array(), data: keys });
  assert.equal(toHex(reply), "00000000" + "00000010" + "00".repeat(96) + toHex(keys));
  const done = encodeReply(REGISTER, { status: 0, sense: new Uint8Array(), data: new Uint8Array() });
  assert.equal(toHex(done), "00".repeat(104));
});

Deno.test("a payload goes out only for a PR IN that is GOOD, and never beyond the allocation length", () => {
  const data = new Uint8Array(300).fill(7);
  const sense = fromHex("70 00 06 00 00 00 00 0a 00 00 00 00 2a 05 00 00 00 00");
  for (
    const [cdb, status, size] of [[READ_KEYS, 0, 256], [READ_KEYS, 2, 0], [READ_KEYS, 0x18, 0], [
      REGISTER,
      0,
      0,
    ]] as const
  ) {
    const reply = encodeReply(cdb, { status, sense, data });
    assert.equal(reply.length, 104 + size);
    assert.equal(
      toHex(reply.subarray(0, 8)),
      status.toString(16).padStart(8, "0") + size.toString(16).padStart(8, "0"),
    );
    assert.equal(toHex(reply.subarray(8, 104)), toHex(sense).padEnd(192, "0"));
  }
  for (const allocation of [0, 1, 7, 8, 24]) {
    const cdb = READ_KEYS.slice();
    cdb[7] = 0;
    cdb[8] = allocation;
    assert.equal(encodeReply(cdb, { status: 0, sense, data }).length, 104 + allocation);
  }
});

Deno.test("encodeReply() refuses what no reply can say", () => {
  const data = new Uint8Array();
  assert.throws(() => encodeReply(READ_KEYS, { status: 256, sense: data, data }), RangeError);
  assert.throws(() => encodeReply(READ_KEYS, { status: 0, sense: new Uint8Array(97), data }), RangeError);
});

Deno.test("assertReads() stops every reply that would end the client", () => {
  const meant = { status: 0, sense: new Uint8Array(), data: new Uint8Array() };
  const good = encodeReply(READ_KEYS, meant);
  assertReads(good, READ_KEYS, meant);
  const broken: [string, (reply: Uint8Array) => Uint8Array][] = [
    ["size larger than what follows", (reply) => (reply[7] = 1, reply)],
    ["size above the allocation length", () => {
      const reply = new Uint8Array(104 + 257);
      reply.set([0, 0, 1, 1], 4);
      return reply;
    }],
    ["trailing bytes", () => new Uint8Array(105)],
    ["another status", (reply) => (reply[3] = 2, reply)],
    ["sense that is not zeroed", (reply) => (reply[60] = 1, reply)],
  ];
  for (const [name, breaks] of broken) {
    assert.throws(() => assertReads(breaks(good.slice()), READ_KEYS, meant), Error, name);
  }
  const payload = Uint8Array.of(...new Uint8Array(104), 9);
  payload[7] = 1;
  assert.throws(() => assertReads(payload, REGISTER, { ...meant, data: Uint8Array.of(9) }), ReadBackError);
});

Deno.test("20,000 random streams: no throw, no descriptor lost or closed twice, no read while a command runs", () => {
  let seed = 0x5eed;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  const endings = new Set<string>();
  for (let round = 0; round < 20_000; round++) {
    const conversation = new HelperConversation();
    const out = new Set<number>();
    let next = 100;
    const settle = (descriptors: readonly number[]): void =>
      descriptors.forEach((fd) => assert.ok(out.delete(fd), `descriptor ${fd} closed twice`));
    for (let piece = 0; piece < 40; piece++) {
      const wants = conversation.wants!;
      const size = 1 + random(wants.bytes);
      const bytes = Uint8Array.from({ length: size }, () => random(4) === 0 ? random(256) : 0);
      if (random(2) === 0 && wants.descriptors && size === 16) bytes[0] = 0x5e + random(2);
      const count = wants.descriptors ? [0, 0, 1, 1, 1, 1, 2][random(7)]! : 0;
      const descriptors = Array.from({ length: count }, () => next++);
      descriptors.forEach((fd) => out.add(fd));
      const step = random(50) === 0
        ? (settle(descriptors), conversation.endOfFile())
        : conversation.receive(bytes, descriptors);
      if (step.kind === "execute") {
        assert.equal(conversation.wants, null);
        settle([step.request.descriptor]);
        conversation.replied();
      }
      endings.add(step.kind === "close" ? step.reason : step.kind);
      if (step.kind !== "close") continue;
      settle(step.descriptors);
      assert.equal(out.size, 0, "a descriptor stayed open");
      assert.equal(conversation.wants, null);
      break;
    }
  }
  for (
    const ending of ["execute", "more", "features", "descriptors", "noDescriptor", "opcode", "tooLong", "endOfFile"]
  ) {
    assert.ok(endings.has(ending), `the streams never came to "${ending}"`);
  }
});
