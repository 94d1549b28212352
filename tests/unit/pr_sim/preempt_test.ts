/** PREEMPT of the sender's own key, as the standard and four targets have it; and PREEMPT of key 0. */
import assert from "node:assert/strict";
import { LIO, type Profile, SCST, SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { Driver } from "../../support/sim.ts";

const K = 1n;
const H = 9n;

type Situation = "unreserved" | "held by s" | "held by h" | "all, s first" | "all, h first";

/** s, d and t share key K; h has its own, where it is needed. */
function ownKey(profile: Profile, situation: Situation, type = 5): { answer: string; state: string } {
  const lun = new Driver(profile);
  if (situation.endsWith("h") || situation === "all, h first") lun.register("h", 0n, H);
  for (const nexus of ["s", "d", "t"]) lun.register(nexus, 0n, K);
  if (situation === "held by s") lun.reserve("s", K, 5);
  if (situation === "held by h") lun.reserve("h", H, 5);
  if (situation === "all, s first") lun.reserve("s", K, 7);
  if (situation === "all, h first") lun.reserve("h", H, 7);
  const answer = lun.preempt("d", K, K, situation.startsWith("all") ? 7 : type);
  return { answer, state: lun.state };
}

const CASES: readonly (readonly [Profile, Situation, state: string])[] = [
  [SPC4, "unreserved", ", free"],
  [LIO, "unreserved", ", free"],
  [SCST, "unreserved", "d=1, free"],
  [TGT, "unreserved", "d=1, free"],
  [SPC4, "held by s", "d=1, 5@d"],
  [LIO, "held by s", "d=1, 5@d"],
  [SCST, "held by s", "d=1, 5@d"],
  [TGT, "held by s", "d=1, 5@d"],
  [SPC4, "held by h", "h=9, 5@h"],
  [LIO, "held by h", "h=9, 5@h"],
  [SCST, "held by h", "h=9, 5@h"],
  [TGT, "held by h", "d=1 h=9, 5@h"],
  [SPC4, "all, s first", ", free"],
  [LIO, "all, s first", "d=1, 7@d"],
  [SCST, "all, s first", "d=1, 7@*"],
  [TGT, "all, s first", "d=1, 7@*"],
  [SPC4, "all, h first", "h=9, 7@*"],
  [LIO, "all, h first", "d=1 h=9, 7@h"],
];

for (const [profile, situation, state] of CASES) {
  Deno.test(`PREEMPT of one's own key, ${situation}: ${profile.name} ends as "${state}"`, () => {
    assert.deepEqual(ownKey(profile, situation), { answer: "good", state });
  });
}

for (const [profile, answer] of [[SPC4, "05/26/00"], [LIO, "05/26/00"], [SCST, "conflict"], [TGT, "good"]] as const) {
  Deno.test(`PREEMPT of key 0 while nothing is reserved: ${profile.name} says ${answer}`, () => {
    const lun = new Driver(profile);
    lun.register("a", 0n, K);
    lun.register("b", 0n, 2n);
    assert.equal(lun.preempt("a", K, 0n, 5), answer);
    assert.equal(lun.state, "a=1 b=2, free");
  });
}

Deno.test("PREEMPT validates TYPE where it is used; LIO and SCST where it is not, too", () => {
  const answers = [SPC4, LIO, SCST, TGT].map((profile) => {
    const lun = new Driver(profile);
    lun.register("a", 0n, K);
    lun.register("b", 0n, 2n);
    const remove = lun.preempt("a", K, 2n, 0);
    lun.register("b", 0n, 2n);
    lun.reserve("a", K, 5);
    return [remove, lun.preempt("a", K, K, 0)];
  });
  assert.deepEqual(answers, [["good", "05/24/00"], ["05/24/00", "05/24/00"], ["05/24/00", "05/24/00"], [
    "good",
    "05/24/00",
  ]]);
});

Deno.test("tgt tells the preempted 2A/03 instead of 2A/05", () => {
  for (const [profile, code] of [[SPC4, "2A05"], [TGT, "2A03"]] as const) {
    const lun = new Driver(profile);
    lun.register("a", 0n, K);
    lun.register("b", 0n, 2n);
    lun.preempt("a", K, 2n, 5);
    assert.equal(lun.attentions("b"), code);
  }
});

Deno.test("LIO's holder inside is followed by the oldest registrant when it unregisters", () => {
  const lun = new Driver(LIO);
  for (const [i, nexus] of ["a", "b", "c"].entries()) lun.register(nexus, 0n, BigInt(i + 1));
  lun.reserve("b", 2n, 8);
  assert.equal(lun.state, "a=1 b=2 c=3, 8@b");
  lun.register("b", 2n, 0n);
  assert.equal(lun.state, "a=1 c=3, 8@a");
});

Deno.test("LIO: preempting one's own key among all registrants conflicts when nobody else has it", () => {
  const lun = new Driver(LIO);
  lun.register("a", 0n, 1n);
  lun.register("b", 0n, 2n);
  lun.reserve("a", 1n, 7);
  assert.equal(lun.preempt("b", 2n, 2n, 7), "conflict");
  assert.equal(lun.state, "a=1 b=2, 7@a");
});
