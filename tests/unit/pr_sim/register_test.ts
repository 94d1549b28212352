/** REGISTER beyond the scenarios: ALL_TG_PT, SPEC_I_PT, room, power-loss setting, list lengths, target profiles. */
import assert from "node:assert/strict";
import { decodeFullStatus } from "../../../lib/pr/full_status.ts";
import { simTransportId } from "../../../lib/pr/sim/nexus_id.ts";
import { LIO, LIO_NO_APTPL, type Profile, SCST, SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { answerOf, Driver } from "../../support/sim.ts";

const LIST = (flags: string): string => `0000000000000000 0000000000000001 00000000 ${flags} 000000`;
const REGISTER = "5f 00 00 00 00 00 00 00 18 00";

function ports(lun: Driver): unknown[] {
  const { dataIn } = lun.send("reader", "5e 03 00 00 00 00 00 20 00 00", 8192);
  return decodeFullStatus(dataIn).registrations.map(({ relativeTargetPort, key }) => [relativeTargetPort, key]);
}

Deno.test("ALL_TG_PT registers through every port; one descriptor says so, until the ports differ", () => {
  const lun = new Driver();
  assert.equal(lun.register("a", 0n, 1n, { allTgPt: true }), "good");
  assert.equal(lun.state, "a#2=1 a=1, free");
  assert.deepEqual(ports(lun), [["all", 1n]]);
  lun.reserve("a", 1n, 5);
  assert.deepEqual(ports(lun), [[1, 1n], [2, 1n]]);
});

Deno.test("ALL_TG_PT: a key change and an unregistering reach every port, all or none", () => {
  const lun = new Driver();
  lun.register("a", 0n, 1n, { allTgPt: true });
  assert.equal(lun.register("a", 1n, 2n, { allTgPt: true }), "good");
  assert.equal(lun.state, "a#2=2 a=2, free");
  lun.register("a#2", 2n, 3n);
  assert.equal(lun.register("a", 2n, 4n, { allTgPt: true }), "conflict");
  assert.equal(lun.state, "a#2=3 a=2, free");
  assert.equal(lun.out("a", { action: "registerAndIgnore", sark: 5n, aptpl: false, allTgPt: true }), "good");
  assert.equal(lun.state, "a#2=5 a=5, free");
  assert.equal(lun.register("a", 5n, 0n, { allTgPt: true }), "good");
  assert.equal(lun.state, ", free");
});

Deno.test("ALL_TG_PT by a stranger conflicts while the initiator is registered through another port", () => {
  const lun = new Driver();
  lun.register("a#2", 0n, 7n);
  assert.equal(lun.register("a", 0n, 1n, { allTgPt: true }), "conflict");
  assert.equal(lun.state, "a#2=7, free");
});

Deno.test("LIO: ALL_TG_PT sticks, counts each port, and a key change stays with the sender", () => {
  const lun = new Driver(LIO);
  lun.register("a", 0n, 1n, { allTgPt: true });
  assert.equal(lun.model.generation, 2);
  assert.deepEqual(ports(lun), [["all", 1n], ["all", 1n]]);
  assert.equal(lun.register("a", 1n, 2n), "05/24/00");
  assert.equal(lun.register("a", 1n, 2n, { allTgPt: true }), "good");
  assert.equal(lun.state, "a#2=1 a=2, free");
});

Deno.test("SPEC_I_PT: an initiator that is registered already is refused, skipped, or overwritten", () => {
  const ends = [SPC4, LIO, SCST].map((profile) => {
    const lun = new Driver(profile);
    lun.register("b", 0n, 9n);
    const specIPt = [simTransportId("b"), simTransportId("c")];
    return [lun.out("a", { action: "register", rk: 0n, sark: 1n, aptpl: false, specIPt }), lun.state];
  });
  assert.deepEqual(ends, [
    ["05/26/00", "b=9, free"],
    ["good", "a=1 b=9 c=1, free"],
    ["good", "a=1 b=1 c=1, free"],
  ]);
});

Deno.test("SPEC_I_PT naming an initiator of another transport is refused, and nobody is registered", () => {
  const lun = new Driver();
  const specIPt = [simTransportId("b"), { protocol: "sas", address: "500062b200c4e6f1" } as const];
  assert.equal(lun.out("a", { action: "register", rk: 0n, sark: 1n, aptpl: false, specIPt }), "05/26/00");
  assert.equal(lun.state, ", free");
});

Deno.test("a LUN without room refuses a registration as a whole", () => {
  const lun = new Driver(SPC4, { maxRegistrations: 2 });
  lun.register("a", 0n, 1n);
  assert.equal(lun.register("b", 0n, 2n, { allTgPt: true }), "05/55/04");
  assert.equal(lun.register("b", 0n, 2n), "good");
  assert.equal(lun.register("c", 0n, 3n), "05/55/04");
  assert.equal(lun.register("b", 2n, 4n), "good");
  assert.equal(lun.state, "a=1 b=4, free");
});

Deno.test("tgt refuses APTPL, ALL_TG_PT, SPEC_I_PT and wrong list lengths, all with 05/24/00", () => {
  const lun = new Driver(TGT);
  for (const flags of ["01", "04"]) assert.equal(answerOf(lun.send("a", REGISTER, LIST(flags))), "05/24/00");
  const specIPt = [simTransportId("b")];
  assert.equal(lun.out("a", { action: "register", rk: 0n, sark: 1n, aptpl: false, specIPt }), "05/24/00");
  assert.equal(answerOf(lun.send("a", "5f 00 00 00 00 00 00 00 17 00", LIST("00").slice(0, -2))), "05/24/00");
  for (const action of [5, 7, 8]) {
    assert.equal(answerOf(lun.send("a", `5f 0${action} 05 00 00 00 00 00 18 00`, LIST("00"))), "05/24/00");
  }
  assert.equal(lun.state, ", free");
});

Deno.test("LIO that cannot write its APTPL file says 02/08/00 for what it did", () => {
  const lun = new Driver(LIO_NO_APTPL);
  assert.equal(lun.register("a", 0n, 1n), "02/08/00");
  assert.equal(lun.state, "a=1, free");
  assert.equal(lun.register("a", 0n, 1n), "conflict");
  assert.equal(lun.register("a", 1n, 2n), "02/08/00");
  assert.equal(lun.register("a", 2n, 0n), "02/08/00");
  assert.equal(lun.state, ", free");
});

const COUNTS: readonly (readonly [Profile, number[]])[] = [
  [SPC4, [1, 2, 3, 4]],
  [LIO, [0, 1, 2, 2]],
  [SCST, [1, 2, 3, 4]],
  [TGT, [1, 2, 3, 5]],
];
for (const [profile, counts] of COUNTS) {
  Deno.test(`PRGENERATION of ${profile.name} after REGISTER 0/0, 0/K, K/L and the holder's unregistering`, () => {
    const lun = new Driver(profile);
    const seen: number[] = [];
    for (const [rk, sark] of [[0n, 0n], [0n, 1n], [1n, 2n]] as const) {
      lun.register("a", rk, sark);
      seen.push(lun.model.generation);
    }
    lun.reserve("a", 2n, 5);
    lun.register("a", 2n, 0n);
    assert.deepEqual([...seen, lun.model.generation], counts);
  });
}

Deno.test("PRGENERATION wraps at 32 bits", () => {
  const lun = new Driver();
  lun.model = { ...lun.model, generation: 0xffffffff };
  lun.register("a", 0n, 1n);
  assert.equal(lun.model.generation, 0);
});

Deno.test("APTPL follows the last register-type command; a refused one leaves it", () => {
  const lun = new Driver();
  lun.register("a", 0n, 1n, { aptpl: true });
  assert.equal(lun.model.ptplActive, true);
  assert.equal(lun.register("a", 9n, 2n), "conflict");
  assert.equal(lun.model.ptplActive, true);
  lun.register("b", 0n, 0n);
  assert.equal(lun.model.ptplActive, false);
});

Deno.test("a flag that means nothing to its service action is ignored, and SPEC_I_PT refused", () => {
  const lun = new Driver();
  lun.register("a", 0n, 1n);
  const list = (flags: string): string => `0000000000000001 0000000000000000 00000000 ${flags} 000000`;
  assert.equal(answerOf(lun.send("a", "5f 01 05 00 00 00 00 00 18 00", list("05"))), "good");
  assert.equal(answerOf(lun.send("a", "5f 02 05 00 00 00 00 00 18 00", list("08"))), "05/26/00");
  assert.equal(lun.state, "a=1, 5@a");
  assert.equal(lun.model.ptplActive, false);
});

const LENGTHS: readonly (readonly [what: string, cdb: string, list: string, standard: string, lio: string])[] = [
  ["an empty list", "5f 00 00 00 00 00 00 00 00 00", "", "05/1A/00", "05/1A/00"],
  ["less data than announced", REGISTER, "0000000000000000", "05/1A/00", "05/1A/00"],
  ["SPEC_I_PT without a length", REGISTER, LIST("08"), "05/1A/00", "05/26/00"],
  ["SPEC_I_PT cut", "5f 00 00 00 00 00 00 00 1c 00", LIST("08") + "00000018", "05/1A/00", "05/26/00"],
  [
    "SPEC_I_PT with half a TransportID",
    "5f 00 00 00 00 00 00 00 24 00",
    LIST("08") + "00000008 0600000050006200",
    "05/1A/00",
    "05/26/00",
  ],
];
for (const [what, cdb, list, standard, lio] of LENGTHS) {
  Deno.test(`REGISTER with ${what}: ${standard}, LIO ${lio}`, () => {
    for (const [profile, wanted] of [[SPC4, standard], [LIO, lio]] as const) {
      const lun = new Driver(profile);
      const before = lun.model;
      assert.equal(answerOf(lun.send("a", cdb, list)), wanted);
      assert.equal(lun.model, before);
    }
  });
}
