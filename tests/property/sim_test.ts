/** The simulated LUN under random commands: whatever comes, it stays a LUN that could be, and its file says the same. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { apply } from "../../lib/pr/sim/apply.ts";
import { decodeCommand } from "../../lib/pr/sim/command.ts";
import { lunReset, nexusLoss, powerCycle } from "../../lib/pr/sim/events.ts";
import { type LunModel, modelKey, registrationOf } from "../../lib/pr/sim/model.ts";
import { PROFILES } from "../../lib/pr/sim/profile.ts";
import { encodePrOut } from "../../lib/pr/pr_out.ts";
import { prOutCdb } from "../../lib/pr/cdb.ts";
import { simTransportId } from "../../lib/pr/sim/nexus_id.ts";
import { decodeSimLun, encodeSimLun } from "../../lib/sim/file_format.ts";
import { CASES, holds } from "../support/cases.ts";
import { newLun } from "../support/sim.ts";

const nexus = fc.constantFrom("a", "b", "c", "a#2");
const key = fc.constantFrom(0n, 1n, 2n, 3n);
const profile = fc.constantFrom(...Object.values(PROFILES));

/** PERSISTENT RESERVE OUT that often means something. */
const prOut = fc.record({
  action: fc.integer({ min: 0, max: 9 }),
  type: fc.constantFrom(0, 1, 3, 5, 6, 7, 8, 9),
  scope: fc.constantFrom(0, 0, 0, 1),
  rk: key,
  sark: key,
  aptpl: fc.boolean(),
  allTgPt: fc.boolean(),
  named: fc.option(fc.uniqueArray(fc.constantFrom("b", "c"), { minLength: 1 }), { freq: 8 }),
}).map(({ action, type, scope, named, ...list }) => {
  const data = encodePrOut({ ...list, specIPt: named?.map(simTransportId) ?? null });
  return {
    cdb: prOutCdb({ action, type, scope, parameterListLength: data.length }),
    data: data as Uint8Array | number,
  };
});
const anything = fc.record({
  cdb: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  data: fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 0, max: 512 })),
});
const command = fc.oneof({ weight: 6, arbitrary: prOut }, { weight: 1, arbitrary: anything });
const event = fc.constantFrom(
  powerCycle,
  lunReset,
  (model: LunModel) => nexusLoss(model, "a"),
);
type Happening = { nexus: string; cdb: Uint8Array; data: Uint8Array | number } | ((model: LunModel) => LunModel);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(nexus, command).map(([by, sent]) => ({ nexus: by, ...sent })) },
  { weight: 1, arbitrary: event },
);

function play(start: LunModel, happenings: readonly Happening[], each: (model: LunModel) => void): void {
  let model = start;
  for (const it of happenings) {
    if (typeof it === "function") model = it(model);
    else {
      const before = model;
      const outcome = apply(before, it.nexus, decodeCommand(it.cdb, it.data));
      model = outcome.model;
      const took = outcome.status === 0x02 &&
        (outcome.sense?.[0] === 6 || before.device.profile.registerReportsNotReady);
      if (outcome.status !== 0 && !took) assert.equal(model, before, "a refused command changed the LUN");
      if (typeof it.data === "number") assert.ok(outcome.dataIn.length <= it.data, "more data than there is room for");
      assert.equal(outcome.sense !== null, outcome.status === 0x02);
    }
    each(model);
  }
}

Deno.test("the simulated LUN stays sound under any commands, and its file reads back as it is", () => {
  const histories = fc.tuple(profile, fc.array(happening, { maxLength: 30 }));
  holds(histories, ([kind, happenings]) => {
    play(newLun(kind), happenings, (model) => {
      const { reservation, registrations } = model;
      assert.ok(registrations.every((each) => each.key !== 0n));
      if (reservation !== null) {
        assert.ok(registrations.length > 0);
        assert.ok(reservation.holder === "*" || registrationOf(model, reservation.holder) !== undefined);
      }
      assert.ok(Object.values(model.attentions).every((waiting) => waiting.length > 0));
    });
    let last = newLun(kind);
    play(last, happenings, (model) => last = model);
    const back = decodeSimLun(encodeSimLun(last));
    assert.deepEqual(back, last);
    assert.equal(modelKey(back), modelKey(last));
  }, Math.ceil(CASES / 10));
});

Deno.test("apply() answers arbitrary bytes, and never throws", () => {
  const one = fc.tuple(profile, nexus, anything);
  holds(one, ([kind, by, { cdb, data }]) => {
    const outcome = apply(newLun(kind), by, decodeCommand(cdb, data));
    assert.ok([0x00, 0x02, 0x18].includes(outcome.status));
  });
});

Deno.test("decodeSimLun() takes any text: a LUN or NotASimLun", () => {
  const text = encodeSimLun(newLun());
  const spoiled = fc.tuple(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 8 })).map(([at, cut, put]) =>
    text.slice(0, at) + put + text.slice(at + cut)
  );
  holds(fc.oneof(spoiled, fc.json(), fc.string()), (candidate) => {
    try {
      decodeSimLun(candidate);
    } catch (error) {
      assert.equal((error as Error).name, "NotASimLun");
    }
  });
});
