/** The file of a simulated LUN: what it looks like, and what is believed of it. */
import assert from "node:assert/strict";
import { decodeSimLun, encodeSimLun, NotASimLun } from "../../../lib/sim/file_format.ts";
import { LIO, SPC4 } from "../../../lib/pr/sim/profile.ts";
import { Driver } from "../../support/sim.ts";

function used(): Driver {
  const lun = new Driver();
  lun.register("a", 0n, 0x123abcn, { aptpl: true });
  lun.register("b", 0n, 0xffff_ffff_ffff_ffffn, { aptpl: true, allTgPt: true });
  lun.register("c", 0n, 3n, { aptpl: true });
  lun.reserve("a", 0x123abcn, 5);
  lun.preempt("a", 0x123abcn, 3n, 5);
  lun.send("a", "2a 00 00 00 00 07 00 00 01 00", "68 69" + "00".repeat(510));
  return lun;
}

Deno.test("the file of a used LUN, field by field", () => {
  assert.deepEqual(JSON.parse(encodeSimLun(used().model)), {
    format: "prmig-sim-lun",
    version: 1,
    device: {
      identity: {
        vendor: "PRMIG",
        product: "SIMULATED LUN",
        revision: "1",
        serial: "5e71a1",
        naa: "35e71a1000000000",
      },
      ports: [1, 2],
      blocks: 128,
      maxRegistrations: 64,
      profile: "spc4",
    },
    generation: 4,
    ptplActive: true,
    registrations: [
      { nexus: "a", key: "0x0000000000123abc", allTargetPorts: false },
      { nexus: "b", key: "0xffffffffffffffff", allTargetPorts: true },
      { nexus: "b#2", key: "0xffffffffffffffff", allTargetPorts: true },
    ],
    reservation: { type: 5, holder: "a" },
    spc2Holder: null,
    informationLost: false,
    attentions: { c: ["2a05"] },
    medium: { 7: "6869" },
  });
});

Deno.test("what was written is read back", () => {
  for (const model of [used().model, new Driver(LIO).model]) {
    assert.deepEqual(decodeSimLun(encodeSimLun(model)), model);
  }
});

type Json = Record<string, unknown>;
const SPOILS: readonly (readonly [what: string, spoil: (file: Json) => void, message: RegExp])[] = [
  ["another version", (file) => file.version = 2, /version/],
  ["a field too many", (file) => file.colour = "red", /colour/],
  ["a field missing", (file) => delete file.ptplActive, /ptplActive/],
  ["a negative generation", (file) => file.generation = -1, /generation/],
  ["a generation beyond 32 bits", (file) => file.generation = 2 ** 32, /generation/],
  ["key 0", (file) => first(file).key = "0x0000000000000000", /key/],
  ["a key that is no hex", (file) => first(file).key = "0x000000000012 abc", /key/],
  ["a nexus that is none", (file) => first(file).nexus = "A", /nexus/],
  ["a nexus registered twice", (file) => first(file).nexus = "b", /registered twice/],
  ["a reservation of an unknown type", (file) => file.reservation = { type: 4, holder: "a" }, /type/],
  ["a holder that is not registered", (file) => file.reservation = { type: 5, holder: "x" }, /not registered/],
  ["type 5 held by all", (file) => file.reservation = { type: 5, holder: "*" }, /type 5 held by \*/],
  ["type 7 held by one", (file) => file.reservation = { type: 7, holder: "a" }, /type 7 held by a/],
  ["a reservation and no registration", (file) => file.registrations = [], /nobody is registered/],
  ["an attention that is none", (file) => file.attentions = { a: ["soon"] }, /attentions/],
  ["an empty list of attentions", (file) => file.attentions = { a: [] }, /attentions/],
  ["a block beyond the capacity", (file) => file.medium = { 128: "00" }, /beyond the capacity/],
  ["a block too long", (file) => file.medium = { 1: "aa".repeat(513) }, /medium/],
  ["half a byte", (file) => file.medium = { 1: "a" }, /medium/],
  ["an unknown profile", (file) => (file.device as Json).profile = "array", /profile/],
  ["no ports", (file) => (file.device as Json).ports = [], /ports/],
];
function first(file: Json): Json {
  return (file.registrations as Json[])[0]!;
}
for (const [what, spoil, message] of SPOILS) {
  Deno.test(`decodeSimLun() refuses ${what}`, () => {
    const file = JSON.parse(encodeSimLun(used().model)) as Json;
    spoil(file);
    assert.throws(() => decodeSimLun(JSON.stringify(file)), (error: NotASimLun) => {
      assert.ok(error instanceof NotASimLun);
      assert.ok(error.ours);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("decodeSimLun() tells ours from others' by the first words", () => {
  for (
    const [text, ours] of [
      ['{"format":"prmig-sim-lun"', true],
      [' {\n "format" : "prmig-sim-lun",', true],
      ['{"format":"prmig-journal"}', false],
      ["[]", false],
      ["null", false],
    ] as const
  ) {
    assert.throws(() => decodeSimLun(text), (error: NotASimLun) => error.ours === ours);
  }
  assert.equal(decodeSimLun(encodeSimLun(used().model)).device.profile, SPC4);
});
