/** The runner: what is skipped and why, what a failure looks like, what is left behind, targets without names. */
import assert from "node:assert/strict";
import type { Nexuses } from "../../../lib/qualify/bench_lun.ts";
import { LIO_DEVIATIONS, LIO_NAMED_NEXUS } from "../../../lib/qualify/deviations.ts";
import { runScenario, runScenarios } from "../../../lib/qualify/run.ts";
import { K1, K2, type Scenario, scenario } from "../../../lib/qualify/scenario.ts";
import { SCENARIOS } from "../../../lib/qualify/scenarios.ts";
import { held, preempt, prIn, quiet, register, reserve, state } from "../../../lib/qualify/steps.ts";
import { describeResult, judge } from "../../../lib/qualify/verdict.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { LIO, LIO_NO_APTPL, SCST, SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

function nexusesOf(lun: MemoryLun): Nexuses {
  return { A: lun.nexus("A"), B: lun.nexus("B"), C: lun.nexus("C") };
}

function find(id: string): Scenario {
  const found = SCENARIOS.find((each) => each.id === id);
  assert.ok(found, id);
  return found;
}

Deno.test("identifiers are unique; every C01 to C96 of the reference is there, and the access matrix, C97 to C99", () => {
  const ids = SCENARIOS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const numbers = new Set(ids.map((id) => Number(id.slice(1, 3))));
  assert.deepEqual([...numbers].sort((a, b) => a - b), Array.from({ length: 99 }, (_, i) => i + 1));
});

Deno.test("at least 60 scenarios need nothing but three nexuses", async () => {
  const results = await runScenarios(SCENARIOS, nexusesOf(new MemoryLun({ profile: LIO })), {
    kinds: ["lio", "lio-tcm-loop"],
  });
  assert.ok(results.filter(({ verdict }) => verdict !== "skipped").length >= 60);
});

Deno.test("LIO simulated deviates as listed, and nowhere else", async () => {
  const lun = new MemoryLun({ profile: LIO, record: false });
  const results = await runScenarios(SCENARIOS, nexusesOf(lun), { deviations: LIO_DEVIATIONS });
  const of = (verdict: string): string[] =>
    results.filter((each) => each.verdict === verdict).map(({ scenario }) => scenario.id);
  assert.deepEqual(of("fail"), []);
  // One LUN is every initiator's newest.
  const listed = LIO_DEVIATIONS.filter((each) => !LIO_NAMED_NEXUS.includes(each));
  assert.deepEqual(of("deviates").sort(), [...new Set(listed.map(({ scenario }) => scenario))].sort());
});

Deno.test("LIO without its APTPL file: C93 as it should be", async () => {
  const lun = new MemoryLun({ profile: LIO_NO_APTPL });
  const result = await runScenario(find("C93"), nexusesOf(lun), { noAptplFile: true });
  assert.equal(result.verdict, "pass", describeResult(result));
});

Deno.test("SCST simulated differs where the reference says it does", async () => {
  const results = await runScenarios(SCENARIOS, nexusesOf(new MemoryLun({ profile: SCST, record: false })));
  const failed = results.filter(({ verdict }) => verdict === "fail").map(({ scenario }) => scenario.id);
  assert.deepEqual(failed, ["C59", "C62", "C63", "C75"]);
});

Deno.test("tgt simulated: known by keys alone, and different where the reference says it is", async () => {
  const results = await runScenarios(SCENARIOS, nexusesOf(new MemoryLun({ profile: TGT, record: false })), {
    registerAndMove: false,
    preemptAndAbort: false,
  });
  const of = (verdict: string): string[] =>
    results.filter((each) => each.verdict === verdict).map(({ scenario }) => scenario.id);
  assert.ok(of("pass").length >= 55, `${of("pass").length} pass`);
  assert.ok(of("skipped").includes("C66"));
  const otherAttention = [
    "C35",
    "C37",
    "C38",
    "C48",
    "C49",
    "C50",
    "C51",
    "C52",
    "C55",
    "C56",
    "C57",
    "C57-after",
    "C60",
    "C90",
    "C91",
  ];
  const otherwise = ["C20", "C41", "C54", "C59", "C61", "C62", "C76", "C85", "C87"];
  const access = [1, 3, 5, 6, 7, 8].flatMap((type) => [`C98-${type}`, `C99-refused-${type}`]);
  assert.deepEqual(of("fail"), [...otherAttention, ...otherwise, ...access].sort());
});

const SKIPS: readonly (readonly [id: string, reason: RegExp])[] = [
  ["C59", /unsafe on lio: touches the registration it has just freed/],
  ["C61", /unsafe on lio/],
  ["C65", /unsafe on lio-tcm-loop: hangs/],
  ["C66", /needs registerAndMove/],
  ["C79", /needs powerCycle/],
  ["C81", /needs reset/],
  ["C81-nexus", /needs nexusLoss/],
  ["C89", /needs replaceLost/],
  ["C93", /needs noAptplFile/],
  ["C94", /needs trouble/],
];
for (const [id, reason] of SKIPS) {
  Deno.test(`${id} is skipped with a reason where it cannot be played`, async () => {
    const lun = new MemoryLun({ profile: LIO });
    const choices = { kinds: ["lio", "lio-tcm-loop"], registerAndMove: false };
    const result = await runScenario(find(id), nexusesOf(lun), choices);
    assert.deepEqual([result.verdict, result.steps], ["skipped", []]);
    assert.match(result.reason ?? "", reason);
  });
}

Deno.test("a type the target does not reserve is skipped", async () => {
  const lun = new MemoryLun();
  const capable = nexusesOf(lun);
  const withoutSix: Nexus = {
    ...pick(capable.A),
    execute: async (cdb, data, options) => {
      const reply = await capable.A.execute(cdb, data, options);
      if (cdb[0] === 0x5e && cdb[1] === 2) reply.dataIn[4] = 0xaa;
      return reply;
    },
  };
  const result = await runScenario(find("C17-6"), { ...capable, A: withoutSix });
  assert.deepEqual([result.verdict, result.reason], ["skipped", "the target does not reserve type 6"]);
});

function pick(nexus: Nexus): Pick<Nexus, "address" | "initiator" | "close"> {
  return { address: nexus.address, initiator: nexus.initiator, close: () => nexus.close() };
}

Deno.test("a failure tells every step, and what was wanted of those that differ", async () => {
  const wrong = scenario("W1", "wrong on purpose", [
    register("A", 0n, K1),
    reserve("A", K1, 5, "conflict"),
    state({ B: K2 }, held(6, "B"), { generation: 3 }),
    prIn("A", "readKeys", 8, "good", "00000000 00000000"),
    quiet("A"),
  ]);
  const result = await runScenario(wrong, nexusesOf(new MemoryLun()));
  assert.equal(
    describeResult(result).replace(/data [0-9a-f]{8}00000008/, "data GENERATION00000008"),
    [
      "W1 wrong on purpose: fail",
      "    1 A: REGISTER RK=0 SARK=K1: good",
      "  ! 2 A: RESERVE RK=K1 type 5: good",
      "      wanted: conflict",
      "  ! 3 state: A=K1, type 5 held by A, generation +1",
      "      wanted: B=K2, type 6 held by B, generation +3",
      "  ! 4 A: READ KEYS, room for 8 bytes: good, data GENERATION00000008",
      "      wanted: good, data 0000000000000000",
      "    5 A: testUnitReady: good",
    ].join("\n"),
  );
});

Deno.test("a state step through a nexus with an attention waiting says so", async () => {
  const scene = scenario("W2", "reads too early", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    preempt("B", K2, K1, 5),
    state({ B: K2 }, null, { via: "A" }),
  ]);
  const { steps } = await runScenario(scene, nexusesOf(new MemoryLun()));
  assert.equal(steps[3]?.seen, "06/2A/05");
});

Deno.test("the LUN is left clean, also when a nexus breaks in the middle", async () => {
  const lun = new MemoryLun();
  await runScenario(find("C49"), nexusesOf(lun));
  assert.deepEqual([lun.model.registrations, lun.model.reservation, lun.model.attentions], [[], null, {}]);
  let commands = 0;
  const nexuses = nexusesOf(lun);
  const breaking: Nexus = {
    ...pick(nexuses.B),
    execute: (cdb, data) => {
      if (cdb[0] === 0x5f && ++commands === 2) return Promise.reject(new Error("gone"));
      return nexuses.B.execute(cdb, data);
    },
  };
  await assert.rejects(runScenario(find("C49"), { ...nexuses, B: breaking }), /gone/);
  assert.deepEqual([lun.model.registrations, lun.model.reservation], [[], null]);
});

Deno.test("one nexus under two names is refused", async () => {
  const lun = new MemoryLun();
  const nexuses = { A: lun.nexus("A"), B: lun.nexus("A"), C: lun.nexus("C") };
  await assert.rejects(runScenario(find("C01"), nexuses), /one and the same nexus/);
});

Deno.test("judge(): a listed deviation must be seen, unless it is one of some versions only", () => {
  const step = (seen: string) => ({ number: 1, what: "x", wanted: "good", seen, ok: seen === "good" });
  const one = find("C01");
  const listed = { scenario: "C01", step: 1, seen: "conflict", reason: "because", sometimes: false };
  const verdict = (seen: string, sometimes?: boolean): string =>
    judge(one, [step(seen)], sometimes === undefined ? [] : [{ ...listed, sometimes }]).verdict;
  assert.deepEqual(
    [verdict("good"), verdict("conflict"), verdict("conflict", false), verdict("good", false), verdict("good", true)],
    ["pass", "fail", "deviates", "fail", "pass"],
  );
  assert.equal(verdict("conflict", true), "deviates");
  assert.equal(verdict("busy", false), "fail");
  assert.match(judge(one, [step("good")], [listed]).reason ?? "", /step 1 is listed to be "conflict", and was not/);
});

Deno.test("the standard needs no deviations", async () => {
  const results = await runScenarios(SCENARIOS, nexusesOf(new MemoryLun({ profile: SPC4, record: false })));
  assert.deepEqual([...new Set(results.map(({ verdict }) => verdict))].sort(), ["pass", "skipped"]);
});
