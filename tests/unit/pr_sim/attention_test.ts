/** Unit attentions: order, delivery, what they keep from running; RELEASE and CLEAR as targets tell of them. */
import assert from "node:assert/strict";
import { lunReset, nexusLoss, powerCycle } from "../../../lib/pr/sim/events.ts";
import { LIO, type Profile, SCST, SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { answerOf, Driver } from "../../support/sim.ts";

Deno.test("attentions come one a command, resets first, none twice; LIO reports the first and drops the rest", () => {
  for (const [profile, wanted] of [[SPC4, "2903 2A04 2A05"], [LIO, "2903"]] as const) {
    const lun = new Driver(profile);
    for (const [i, nexus] of ["a", "b", "c"].entries()) lun.register(nexus, 0n, BigInt(i + 1));
    lun.reserve("a", 1n, 5);
    lun.out("a", { action: "release", rk: 1n, type: 5 });
    lun.reserve("a", 1n, 5);
    lun.out("a", { action: "release", rk: 1n, type: 5 });
    lun.preempt("a", 1n, 3n, 5);
    lun.model = lunReset(lun.model);
    assert.equal(lun.attentions("c"), wanted);
  }
});

Deno.test("SCST reports a conflict before a waiting attention, everybody else after", () => {
  for (const [profile, answers] of [[SPC4, ["06/2A/05", "conflict"]], [SCST, ["conflict", "conflict"]]] as const) {
    const lun = new Driver(profile);
    lun.register("a", 0n, 1n);
    lun.register("b", 0n, 2n);
    lun.reserve("a", 1n, 5);
    lun.preempt("b", 2n, 1n, 5);
    const write = (): string => answerOf(lun.send("a", "2a 00 00 00 00 01 00 00 01 00", "00".repeat(512)));
    assert.deepEqual([write(), write()], answers);
    assert.equal(lun.ready("a"), profile === SCST ? "06/2A/05" : "good");
  }
});

Deno.test("REQUEST SENSE hands out one attention in the format asked for, and none when none waits", () => {
  const lun = new Driver();
  lun.register("a", 0n, 1n);
  lun.register("b", 0n, 2n);
  lun.out("b", { action: "clear", rk: 2n });
  const fixed = lun.send("a", "03 00 00 00 ff 00", 255).dataIn;
  assert.deepEqual([fixed[0], fixed[2], fixed[12], fixed[13]], [0x70, 6, 0x2a, 3]);
  const descriptor = lun.send("a", "03 01 00 00 ff 00", 255).dataIn;
  assert.deepEqual([...descriptor.subarray(0, 4)], [0x72, 0, 0, 0]);
});

const TOLD: readonly (readonly [Profile, onRelease: number[], onUnregister: number[]])[] = [
  [SPC4, [5, 6, 7, 8], [5, 6]],
  [LIO, [5, 6, 7, 8], [5, 6]],
  [SCST, [5, 6, 7, 8], [5, 6]],
  [TGT, [1, 3], [1, 3, 5, 6]],
];
for (const [profile, onRelease, onUnregister] of TOLD) {
  Deno.test(`${profile.name} tells of a RELEASE of ${onRelease}, of an implicit one of ${onUnregister}`, () => {
    const told = (end: (lun: Driver, type: number) => string): number[] =>
      [1, 3, 5, 6, 7, 8].filter((type) => {
        const lun = new Driver(profile);
        lun.register("a", 0n, 1n);
        lun.register("b", 0n, 2n);
        lun.reserve("a", 1n, type);
        assert.equal(end(lun, type), "good");
        assert.equal(lun.attentions("a"), "");
        return lun.attentions("b") === "2A04";
      });
    assert.deepEqual(told((lun, type) => lun.out("a", { action: "release", rk: 1n, type })), onRelease);
    assert.deepEqual(told((lun) => lun.register("a", 1n, 0n)), onUnregister);
  });
}

Deno.test("power comes back: with persistence all is there, without nothing; everybody hears of it", () => {
  for (const aptpl of [true, false]) {
    const lun = new Driver();
    lun.register("a", 0n, 1n, { aptpl });
    lun.register("b", 0n, 2n, { aptpl });
    lun.reserve("a", 1n, 3);
    lun.model = powerCycle(lun.model, ["x"]);
    assert.equal(lun.model.generation, 0);
    assert.equal(lun.model.ptplActive, aptpl);
    assert.equal(lun.state, aptpl ? "a=1 b=2, 3@a" : ", free");
    assert.deepEqual(["a", "b", "x", "y"].map((nexus) => lun.attentions(nexus)), ["2901", "2901", "2901", ""]);
  }
});

Deno.test("a nexus lost and back is told so, and loses other attentions and its SPC-2 reservation", () => {
  const lun = new Driver();
  assert.equal(answerOf(lun.send("a", "16 00 00 00 00 00")), "good");
  lun.model = nexusLoss(lun.model, "a");
  assert.equal(lun.model.spc2Holder, null);
  assert.equal(lun.attentions("a"), "2907");
});

Deno.test("tgt leaves a lost nexus' registration to nobody; CLEAR by another removes it", () => {
  const lun = new Driver(TGT);
  lun.register("a", 0n, 1n);
  lun.reserve("a", 1n, 1);
  lun.model = nexusLoss(lun.model, "a");
  assert.equal(lun.attentions("a"), "2907");
  assert.equal(lun.state, "a!1=1, 1@a!1");
  assert.equal(lun.out("a", { action: "release", rk: 1n, type: 1 }), "conflict");
  assert.equal(lun.register("a", 0n, 1n), "good");
  lun.model = nexusLoss(lun.model, "a");
  assert.equal(lun.state, "a!1=1 a!2=1, 1@a!1");
  lun.register("b", 0n, 2n);
  assert.equal(lun.out("b", { action: "clear", rk: 2n }), "good");
  assert.equal(lun.state, ", free");
});

Deno.test("an SPC-2 reservation keeps others out, and is released by its holder, a reset or loss of power", () => {
  const reserved = (): Driver => {
    const lun = new Driver();
    assert.equal(answerOf(lun.send("a", "56 00 00 00 00 00 00 00 00 00")), "good");
    return lun;
  };
  const lun = reserved();
  assert.equal(answerOf(lun.send("a", "16 00 00 00 00 00")), "good");
  assert.equal(answerOf(lun.send("b", "16 00 00 00 00 00")), "conflict");
  assert.equal(lun.ready("b"), "conflict");
  assert.equal(answerOf(lun.send("b", "12 00 00 00 24 00", 36)), "good");
  assert.equal(answerOf(lun.send("b", "17 00 00 00 00 00")), "good");
  assert.equal(lun.ready("b"), "conflict");
  assert.equal(answerOf(lun.send("a", "17 00 00 00 00 00")), "good");
  assert.equal(lun.ready("b"), "good");
  for (const end of [lunReset, powerCycle]) {
    const other = reserved();
    other.model = end(other.model);
    assert.equal(other.attentions("b"), "");
    assert.equal(other.ready("b"), "good");
  }
});
