/** Names of nexuses, keys of models, and what a model check relies on. */
import assert from "node:assert/strict";
import { apply } from "../../../lib/pr/sim/apply.ts";
import { decodeCommand, prOutCommandOf } from "../../../lib/pr/sim/command.ts";
import { loseInformation } from "../../../lib/pr/sim/events.ts";
import { modelKey } from "../../../lib/pr/sim/model.ts";
import { initiatorOf, initiatorOfTransportId, nexusId, portOf, simTransportId } from "../../../lib/pr/sim/nexus_id.ts";
import { LIO, SPC4 } from "../../../lib/pr/sim/profile.ts";
import { fromHex } from "../../../lib/bytes.ts";
import { Driver, newLun } from "../../support/sim.ts";

Deno.test("nexusId(): initiator and port, case aside", () => {
  assert.equal(nexusId("Host-1.Example"), "host-1.example");
  assert.equal(nexusId("a", 2), "a#2");
  assert.deepEqual([initiatorOf("a#2"), portOf("a#2"), initiatorOf("a"), portOf("a")], ["a", 2, "a", 1]);
  for (const bad of ["", "a b", "a#2", "ä", "-a", "a".repeat(64), "a/b"]) assert.throws(() => nexusId(bad), RangeError);
  for (const port of [0, -1, 65536, 1.5]) assert.throws(() => nexusId("a", port), RangeError);
});

Deno.test("a nexus is found again by its TransportID, whatever the port and the case", () => {
  const id = simTransportId(nexusId("Node", 2));
  assert.equal(initiatorOfTransportId(id), "node");
  assert.equal(initiatorOfTransportId({ ...id, address: id.address.toUpperCase() }), "node");
  for (const address of ["iqn.1994-05.com.example:node", `${id.address},i,0x00023d000001`, "iqn"]) {
    assert.equal(initiatorOfTransportId({ protocol: "iscsi", address }), null);
  }
  assert.equal(initiatorOfTransportId({ protocol: "sas", address: id.address }), null);
});

Deno.test("modelKey(): equal for equal LUNs, whatever the order of registration; different for every difference", () => {
  const ab = new Driver();
  ab.register("a", 0n, 1n);
  ab.register("b", 0n, 2n);
  const ba = new Driver();
  ba.register("b", 0n, 2n);
  ba.register("a", 0n, 1n);
  assert.equal(modelKey(ab.model), modelKey(ba.model));
  const base = ab.model;
  const variants = [
    base,
    { ...base, generation: 9 },
    { ...base, ptplActive: true },
    { ...base, informationLost: true },
    { ...base, spc2Holder: "a" },
    { ...base, attentions: { a: [0x2a05] } },
    { ...base, attentions: { a: [0x2a05, 0x2a04] } },
    { ...base, attentions: { b: [0x2a05] } },
    { ...base, medium: { 1: "aa" } },
    { ...base, reservation: { type: 5 as const, holder: "a" } },
    { ...base, reservation: { type: 6 as const, holder: "a" } },
    { ...base, reservation: { type: 5 as const, holder: "b" } },
    { ...base, registrations: base.registrations.slice(1) },
    { ...base, registrations: base.registrations.map((each) => ({ ...each, allTgPt: true })) },
  ];
  assert.equal(new Set(variants.map(modelKey)).size, variants.length);
});

Deno.test("modelKey(): for LIO the order of registration is part of what the LUN is", () => {
  const [ab, ba] = [["a", "b"], ["b", "a"]].map((order) => {
    const lun = new Driver(LIO);
    for (const nexus of order) lun.register(nexus, 0n, 1n);
    return modelKey(lun.model);
  });
  assert.notEqual(ab, ba);
});

Deno.test("apply() leaves the model it was given alone, and gives the same one back for a command without effect", () => {
  const lun = new Driver();
  lun.register("a", 0n, 1n);
  const before = lun.model;
  const copy = structuredClone({ ...before, device: null });
  apply(before, "a", prOutCommandOf({ action: "reserve", rk: 1n, type: 5 }));
  apply(before, "a", prOutCommandOf({ action: "clear", rk: 1n }));
  assert.deepEqual({ ...before, device: null }, copy);
  for (const cdb of ["00 00 00 00 00 00", "5e 03 00 00 00 00 00 20 00 00"]) {
    assert.equal(apply(before, "b", decodeCommand(fromHex(cdb), 8192)).model, before);
  }
  assert.equal(apply(before, "b", prOutCommandOf({ action: "reserve", rk: 1n, type: 5 })).model, before);
});

Deno.test("apply() is quick enough for a model check", () => {
  const commands = [
    ["a", prOutCommandOf({ action: "register", rk: 0n, sark: 1n, aptpl: false })],
    ["a", prOutCommandOf({ action: "reserve", rk: 1n, type: 5 })],
    ["b", prOutCommandOf({ action: "register", rk: 0n, sark: 2n, aptpl: false })],
    ["b", prOutCommandOf({ action: "preempt", rk: 2n, sark: 1n, type: 6 })],
    ["a", decodeCommand(new Uint8Array(6), 0)],
    ["b", prOutCommandOf({ action: "clear", rk: 2n })],
  ] as const;
  let model = newLun(SPC4);
  const rounds = 5_000;
  const start = performance.now();
  for (let i = 0; i < rounds; i++) {
    for (const [nexus, command] of commands) model = apply(model, nexus, command).model;
  }
  const perSecond = rounds * commands.length / ((performance.now() - start) / 1000);
  assert.ok(perSecond > 20_000, `${Math.round(perSecond)} commands a second`); // some 500,000 on an idle core
  assert.equal(model.generation, 4 * rounds);
});

Deno.test("after a loss of information nothing runs but what says who the device is, and REPLACE LOST RESERVATION", () => {
  const lun = new Driver();
  lun.register("a", 0n, 1n);
  lun.model = loseInformation(lun.model);
  assert.equal(lun.ready("a"), "07/44/01");
  assert.equal(lun.register("a", 0n, 1n), "07/44/01");
  assert.equal(lun.send("a", "12 00 00 00 24 00", 36).status, 0);
  assert.equal(lun.send("a", "4d 00 00 00 00 00 00 00 05 00", 5).status, 0);
  const replace = { action: "replaceLost", sark: 2n, aptpl: true } as const;
  assert.equal(lun.out("b", { ...replace, rk: 1n, type: 5 }), "05/26/00");
  assert.equal(lun.out("b", { ...replace, type: 4 }), "05/24/00");
  assert.equal(lun.out("b", { ...replace, type: 5 }), "good");
  assert.equal(lun.state, "b=2, 5@b");
  assert.deepEqual([lun.model.generation, lun.model.ptplActive], [0, true]);
  assert.equal(lun.out("b", { ...replace, type: 5 }), "05/26/04");
  assert.equal(lun.out("c", { ...replace, type: 5 }), "conflict");
});
