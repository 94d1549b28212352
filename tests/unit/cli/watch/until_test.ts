import assert from "node:assert/strict";
import { BadCondition, parseCondition } from "../../../../lib/cli/watch/until.ts";
import { POLL } from "../../../../lib/cli/watch/words.ts";
import type { PrState } from "../../../../lib/pr/types.ts";

const A = { protocol: "iscsi", address: "iqn.2026-01.example:host-a,i,0x00023d000001" } as const;

/** Registered keys (the first holds), type 0 for no reservation. */
function lun(type: number, ...keys: bigint[]): PrState {
  const everybody = type >= 7;
  return {
    generation: 1,
    reservation: type === 0 ? null : { key: everybody ? 0n : keys[0]!, type, scope: 0 },
    registrations: keys.map((key, i) => ({
      key,
      holder: type !== 0 && (everybody || i === 0),
      relativeTargetPort: 1,
      transportId: A,
    })),
  };
}

const CASES: readonly [condition: string, state: PrState, holds: boolean][] = [
  ["key=0xa", lun(0, 0xan), true],
  ["key=a", lun(0, 0xbn), false],
  ["no-key=0xa", lun(0, 0xbn), true],
  ["no-key=0xa", lun(5, 0xbn, 0xan), false],
  ["holder=0xa", lun(5, 0xan, 0xbn), true],
  ["holder=0xb", lun(5, 0xan, 0xbn), false],
  ["holder=0xb", lun(7, 0xan, 0xbn), true],
  ["no-holder=0xa", lun(5, 0xbn, 0xan), true],
  ["no-holder=0xb", lun(8, 0xan, 0xbn), false],
  ["holder", lun(5, 0xan), true],
  ["holder", lun(0, 0xan), false],
  ["no-holder", lun(0, 0xan), true],
  ["no-holder", lun(7, 0xan), false],
  ["type=5", lun(5, 0xan), true],
  ["type=we-ro", lun(5, 0xan), true],
  ["type=1", lun(0, 0xan), false],
  ["registrant", lun(0, 0xan), true],
  ["registrant", lun(0), false],
  ["no-registrant", lun(0), true],
  ["registrant=HOST-A", lun(0, 0xan), true],
  ["registrant=host-b", lun(0, 0xan), false],
  ["no-registrant=host-b", lun(0, 0xan), true],
  ["key=0xa, holder=0xb , type=5", lun(5, 0xbn, 0xan), true],
  ["key=0xa,holder=0xa", lun(5, 0xbn, 0xan), false],
];
for (const [condition, state, holds] of CASES) {
  Deno.test(`condition "${condition}" is ${holds} of type ${state.reservation?.type ?? 0}, keys ${state.registrations.map(({ key }) => key)}`, () => {
    assert.equal(parseCondition(condition).holds(state), holds);
  });
}

for (const wrong of ["", "key", "key=", "key=xyz", "holder=", "type=2", "sometime", "toString=1", "key=1,", "=1"]) {
  Deno.test(`condition "${wrong}" is refused with what was expected`, () => {
    assert.throws(() => parseCondition(wrong), BadCondition);
  });
}

Deno.test("--poll takes durations and 0", () => {
  assert.deepEqual(["0", "0s", "250ms", "2m"].map((word) => POLL.parse(word)), [0, 0, 250, 120_000]);
  assert.throws(() => POLL.parse("1"));
});
