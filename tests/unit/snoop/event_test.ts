import assert from "node:assert/strict";
import { eventFromJson, eventToJson, type PrEvent } from "../../../lib/snoop/event.ts";

const EVENT: PrEvent = {
  time: "2026-01-02T03:04:05.678901Z",
  device: "/dev/sdb",
  event: "prOut",
  source: "helper",
  serviceAction: "PREEMPT",
  status: "GOOD",
  key: 0xbeefn,
  newKey: 0xffff_ffff_ffff_fffen,
  type: 5,
  before: { key: 0xbeefn, type: 0 },
  after: {
    key: 0xbeefn,
    type: 5,
    generation: 7,
    registrations: [{ key: 0xbeefn, holder: true, self: null, initiator: "sas 5001405000000001" }],
  },
  lun: "naa.6001405",
  devno: "8:16",
  startedUs: 1,
  endedUs: 2,
  pid: 77,
};

Deno.test("an event survives its JSON form, 64-bit keys included", () => {
  const line = eventToJson(EVENT);
  assert.ok(!line.includes("\n"));
  assert.match(line, /"newKey":"0xfffffffffffffffe"/);
  assert.deepEqual(eventFromJson(line), EVENT);
});

Deno.test("the members of the contract come first, in its order", () => {
  const names = Object.keys(JSON.parse(eventToJson(EVENT)));
  const contract = "time device event source serviceAction status key newKey type before after".split(" ");
  assert.deepEqual(names.slice(0, contract.length), contract);
});

Deno.test("eventFromJson() gives null for what is no event", () => {
  const cut = eventToJson(EVENT).slice(0, -5);
  const strange = JSON.stringify({ time: "x", device: "y", event: "party", source: "helper" });
  for (const line of ["", "{", "[]", "null", "7", cut, strange, '{"time":1}']) assert.equal(eventFromJson(line), null);
});

Deno.test("eventFromJson() ignores unknown members and drops optional ones of the wrong type", () => {
  const line = JSON.stringify({ ...JSON.parse(eventToJson(EVENT)), pid: "seven", colour: "blue" });
  const { pid: _pid, ...rest } = EVENT;
  assert.deepEqual(eventFromJson(line), rest);
});

Deno.test("keys are told right however many there are, and told again", () => {
  const keys = Array.from({ length: 600 }, (_, i) => BigInt(i) << 40n);
  for (const key of [...keys, ...keys.toReversed(), ...keys]) {
    assert.equal(eventFromJson(eventToJson({ ...EVENT, key }))!.key, key);
  }
});
