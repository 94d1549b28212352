import assert from "node:assert/strict";
import fc from "fast-check";
import { type Cause, diffStates, explainChange } from "../../../lib/pr/diff.ts";
import type { PrState, Registration } from "../../../lib/pr/types.ts";

const A = "500140000000aaaa", B = "500140000000bbbb", C = "500140000000cccc";

function reg(key: bigint, address: string | null, holder = false): Registration {
  return {
    key,
    holder,
    relativeTargetPort: address === null ? null : 1,
    transportId: address === null ? null : { protocol: "sas", address },
  };
}

/** `type` 0: no reservation. Its key is the holder's, or 0 for types 7 and 8. */
function state(generation: number, type: number, ...registrations: Registration[]): PrState {
  const key = type >= 7 ? 0n : registrations.find(({ holder }) => holder)?.key ?? 0n;
  return { generation, registrations, reservation: type === 0 ? null : { key, type, scope: 0 } };
}

const cause = (action: number, rk: bigint, sark = 0n): Cause => ({ action, rk, sark });

const CASES: readonly [name: string, before: PrState, after: PrState, causes: Cause[], said: string[]][] = [
  ["nothing differs", state(3, 5, reg(1n, A, true)), state(3, 5, reg(1n, A, true)), [], []],
  ["a registration appears", state(0, 0), state(1, 0, reg(1n, A)), [], [
    "0x0000000000000001 (sas 500140000000aaaa) registered",
  ]],
  ["a key changes and the reservation stays", state(1, 5, reg(1n, A, true)), state(2, 5, reg(2n, A, true)), [], [
    "0x0000000000000002 (sas 500140000000aaaa) changed its key from 0x0000000000000001",
  ]],
  ["a reservation appears", state(1, 0, reg(1n, A)), state(1, 5, reg(1n, A, true)), [], [
    "0x0000000000000001 (sas 500140000000aaaa) holds WE-RO",
  ]],
  ["a reservation is released", state(1, 3, reg(1n, A, true)), state(1, 0, reg(1n, A)), [], [
    "0x0000000000000001 (sas 500140000000aaaa) no longer holds EA: the LUN is not reserved",
  ]],
  ["all registrants hold", state(1, 0, reg(1n, A)), state(1, 8, reg(1n, A, true)), [], [
    "every registrant holds EA-AR",
  ]],
  [
    "a reservation that moves while its holder vanishes proves a PREEMPT",
    state(2, 5, reg(1n, A, true), reg(2n, B)),
    state(3, 5, reg(2n, B, true)),
    [],
    [
      "0x0000000000000001 (sas 500140000000aaaa) was preempted by 0x0000000000000002",
      "0x0000000000000002 (sas 500140000000bbbb) took WE-RO from 0x0000000000000001 (sas 500140000000aaaa)",
    ],
  ],
  [
    "the same without names",
    state(2, 5, reg(1n, null, true), reg(2n, null)),
    state(3, 5, reg(2n, null, true)),
    [],
    [
      "0x0000000000000001 was preempted by 0x0000000000000002",
      "0x0000000000000002 took WE-RO from 0x0000000000000001",
    ],
  ],
  [
    "a vanished registration alone proves nothing",
    state(2, 0, reg(1n, A), reg(2n, B)),
    state(3, 0, reg(2n, B)),
    [],
    ["0x0000000000000001 (sas 500140000000aaaa) is no longer registered"],
  ],
  [
    "the command that did it tells",
    state(2, 0, reg(1n, A), reg(2n, B)),
    state(3, 0, reg(2n, B)),
    [cause(4, 2n, 1n)],
    ["0x0000000000000001 (sas 500140000000aaaa) was preempted by 0x0000000000000002"],
  ],
  [
    "a registrant that left by itself",
    state(2, 0, reg(1n, A), reg(2n, B)),
    state(3, 0, reg(2n, B)),
    [cause(0, 1n, 0n)],
    ["0x0000000000000001 (sas 500140000000aaaa) unregistered itself"],
  ],
  [
    "a preempt-all removes everybody but the sender",
    state(2, 7, reg(1n, A, true), reg(2n, B, true), reg(3n, C, true)),
    state(3, 7, reg(2n, B, true)),
    [cause(4, 2n, 0n)],
    [
      "0x0000000000000001 (sas 500140000000aaaa) was preempted by 0x0000000000000002",
      "0x0000000000000003 (sas 500140000000cccc) was preempted by 0x0000000000000002",
    ],
  ],
  ["everybody is gone", state(2, 5, reg(1n, A, true), reg(2n, B)), state(3, 0), [], [
    "0x0000000000000001 (sas 500140000000aaaa) is gone with everybody else: cleared, most likely",
    "0x0000000000000002 (sas 500140000000bbbb) is gone with everybody else: cleared, most likely",
    "0x0000000000000001 (sas 500140000000aaaa) no longer holds WE-RO: the LUN is not reserved",
  ]],
  ["cleared, and by whom", state(2, 0, reg(1n, A)), state(3, 0), [cause(3, 1n)], [
    "0x0000000000000001 (sas 500140000000aaaa) was cleared by 0x0000000000000001",
  ]],
  ["the type changes under its holder", state(2, 5, reg(1n, A, true)), state(3, 6, reg(1n, A, true)), [], [
    "the reservation changed from WE-RO to EA-RO",
  ]],
  ["only the generation moves", state(2, 0, reg(1n, A)), state(3, 0, reg(1n, A)), [], [
    "generation 2 became 3, and nothing else differs",
  ]],
  ["the generation wraps", state(0xffffffff, 0), state(0, 0), [], [
    "generation 4294967295 became 0, and nothing else differs",
  ]],
];

for (const [name, before, after, causes, said] of CASES) {
  Deno.test(`diffStates(): ${name}`, () => {
    assert.deepEqual(diffStates(before, after, causes).map(explainChange), said);
  });
}

const anyState = fc.record({
  generation: fc.nat(3),
  type: fc.constantFrom(0, 1, 5, 7, 9),
  registrations: fc.array(
    fc.record({
      key: fc.bigInt(1n, 3n),
      holder: fc.boolean(),
      relativeTargetPort: fc.constantFrom(1, 2, null, "all" as const),
      transportId: fc.option(fc.record({ protocol: fc.constant("sas" as const), address: fc.constantFrom(A, B) })),
    }),
    { maxLength: 4 },
  ),
}).map(({ generation, type, registrations }): PrState => ({
  generation,
  registrations,
  reservation: type === 0 ? null : { key: registrations.find((r) => r.holder)?.key ?? 0n, type, scope: 0 },
}));

Deno.test("diffStates() finds nothing between a state and itself, and explains whatever it finds", () => {
  fc.assert(
    fc.property(anyState, anyState, (before, after) => {
      assert.deepEqual(diffStates(before, before), []);
      for (const change of diffStates(before, after)) assert.ok(explainChange(change).length > 10);
    }),
    { numRuns: 500 },
  );
});
