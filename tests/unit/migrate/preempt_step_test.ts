import assert from "node:assert/strict";
import {
  isPreempted,
  type Ownership,
  planPreempt,
  type PreemptRequest,
  stateInWords,
} from "../../../lib/migrate/preempt_step.ts";
import { PrmigError } from "../../../lib/errors.ts";
import type { PrState, PrType } from "../../../lib/pr/types.ts";

const US = 0xaan, THEM = 0xbbn, OTHER = 0xccn;

/** `holder` is the index of the holding registration; types 7 and 8 are held by all. */
function state(keys: readonly bigint[], type: number = 0, holder = 0): PrState {
  const all = type === 7 || type === 8;
  return {
    generation: 1,
    reservation: type === 0 ? null : { key: all ? 0n : keys[holder]!, type, scope: 0 },
    registrations: keys.map((key, i) => ({
      key,
      holder: type !== 0 && (all || i === holder),
      relativeTargetPort: 1,
      transportId: { protocol: "sas", address: `500000000000000${i}` },
    })),
  };
}

const request: PreemptRequest = { device: "/dev/sg3", key: THEM, type: 5, ownKey: null };

Deno.test("planPreempt(): our registration is recognised, its key is RK, K is SARK", () => {
  assert.deepEqual(planPreempt(request, state([THEM, US], 5), [false, true]), {
    rk: US,
    sark: THEM,
    type: 5,
    victims: 1,
    takesReservation: true,
  });
});

Deno.test("planPreempt(): every registration of K goes; no reservation is taken where K holds none alone", () => {
  const plan = planPreempt(request, state([US, THEM, THEM], 5, 0), [true, false, false]);
  assert.deepEqual([plan.victims, plan.takesReservation], [2, false]);
  for (const type of [0, 7, 8]) {
    assert.equal(planPreempt(request, state([THEM, US], type), [false, true]).takesReservation, false, `type ${type}`);
  }
});

Deno.test("planPreempt(): --own-key helps where the host cannot tell", () => {
  assert.equal(planPreempt({ ...request, ownKey: US }, state([THEM, US], 5), [null, null]).rk, US);
  assert.equal(planPreempt({ ...request, ownKey: US }, state([THEM, US], 5), [false, null]).rk, US);
});

Deno.test("planPreempt(): several paths of ours under one key are one key", () => {
  assert.equal(planPreempt(request, state([US, US, THEM], 5), [true, true, false]).rk, US);
});

const REFUSED: readonly (readonly [
  name: string,
  asked: Partial<PreemptRequest>,
  lun: PrState,
  ownership: Ownership,
  message: RegExp,
])[] = [
  ["our own key", { key: US }, state([THEM, US], 5), [false, true], /is the key of this nexus itself/],
  [
    "our own key, shared with others",
    { key: US },
    state([US, US], 5),
    [true, false],
    /is the key of this nexus itself/,
  ],
  ["K is not registered", { key: OTHER }, state([THEM, US], 5), [false, true], /nobody is registered under 0x0+cc$/],
  ["we are not registered", {}, state([THEM], 5), [false], /this nexus is not registered/],
  ["nobody is registered", {}, state([]), [], /this nexus is not registered/],
  ["not registered, whatever --own-key says", { ownKey: US }, state([THEM, US], 5), [false, false], /not registered/],
  ["the host cannot tell, no --own-key", {}, state([THEM, US], 5), [null, null], /cannot tell which/],
  ["--own-key contradicts what is known", { ownKey: OTHER }, state([THEM, US], 5), [false, true], /not under 0x0+cc$/],
  ["--own-key is nobody's", { ownKey: OTHER }, state([THEM, US], 5), [null, null], /no registration under 0x0+cc/],
  [
    "--own-key is certainly another's",
    { ownKey: THEM, key: OTHER },
    state([THEM, US], 5),
    [false, null],
    /no registration/,
  ],
];
for (const [name, asked, lun, ownership, message] of REFUSED) {
  Deno.test(`planPreempt() refuses: ${name}`, () => {
    assert.throws(() => planPreempt({ ...request, ...asked }, lun, ownership), (error) => {
      assert.ok(error instanceof PrmigError);
      assert.equal(error.kind, "refused");
      assert.match(error.message, message);
      assert.match(error.facts.lun, /^unchanged: /);
      return true;
    });
  });
}

const VERDICTS: readonly (readonly [name: string, takes: boolean, type: PrType, after: PrState, done: boolean])[] = [
  ["we hold, K is gone", true, 5, state([US], 5), true],
  ["K is still there", true, 5, state([THEM, US], 5), false],
  ["K is gone, a third nexus holds", true, 5, state([OTHER, US], 5), false],
  ["K is gone, so is the reservation", true, 5, state([US]), false],
  ["K is gone, the type is another", true, 5, state([US], 3), false],
  ["we and others hold under type 8", true, 8, state([US, OTHER], 8), true],
  ["K held nothing and is gone", false, 5, state([US, OTHER], 5, 1), true],
];
for (const [name, takesReservation, type, after, done] of VERDICTS) {
  Deno.test(`isPreempted(): ${name}: ${done}`, () => {
    assert.equal(isPreempted({ rk: US, sark: THEM, type, victims: 1, takesReservation }, after), done);
  });
}

Deno.test("stateInWords() names the reservation, its holder and everybody registered", () => {
  assert.equal(
    stateInWords(state([THEM, US], 5)),
    "type 5 (Write Exclusive, Registrants Only) held by 0x00000000000000bb; " +
      "registered: 0x00000000000000bb (sas 5000000000000000), 0x00000000000000aa (sas 5000000000000001)",
  );
  assert.equal(stateInWords(state([])), "no reservation; nobody is registered");
  assert.match(stateInWords(state([US], 8)), /held by all registrants/);
});
