import assert from "node:assert/strict";
import { differenceOf, type SeenRegistration } from "../../../lib/snoop/agreement.ts";

const K = 0x11n, L = 0x22n;
const mine = (key: bigint, holder: boolean | null = false): SeenRegistration => ({ key, self: true, holder });
const theirs = (key: bigint, holder: boolean | null = false): SeenRegistration => ({ key, self: false, holder });
const unknown = (key: bigint, holder: boolean | null = false): SeenRegistration => ({ key, self: null, holder });

type Row = [string, SeenRegistration[], typeNow: number, key: bigint, type: number | null, RegExp | null];
const ROWS: Row[] = [
  ["not registered, and nobody is", [], 0, 0n, 0, null],
  ["not registered, and others are", [theirs(K, true)], 5, 0n, 0, null],
  ["not registered, but the LUN has us", [mine(K)], 0, 0n, 0, /not registered; the LUN has this nexus under 0x0+11/],
  ["registered, as the LUN says", [mine(K), theirs(L, true)], 5, K, 0, null],
  ["registered, where the LUN tells no names", [unknown(K), unknown(L, true)], 5, K, 0, null],
  ["registered, but gone", [theirs(L, true)], 5, K, 0, /does not have this nexus/],
  ["registered under another key", [mine(L)], 0, K, 0, /has this nexus under 0x0+22/],
  ["a stranger has our old key", [mine(L), theirs(K)], 0, K, 0, /has this nexus under 0x0+22/],
  ["holds, as the LUN says", [mine(K, true)], 5, K, 5, null],
  ["holds, one of several under the key", [unknown(K, null), unknown(K, null)], 5, K, 5, null],
  ["holds, but somebody else does", [mine(K), theirs(L, true)], 5, K, 5, /does not hold/],
  ["holds another type", [mine(K, true)], 6, K, 5, /has type 6/],
  ["holds nothing, but does", [mine(K, true)], 1, K, 0, /holds nothing; on the LUN it holds type 1/],
  ["holds nothing of its own making, as all registrants do", [mine(K, true), theirs(L, true)], 7, K, 0, null],
  ["holds something that is not known", [mine(K, true)], 3, K, null, null],
];
for (const [name, registrations, typeNow, key, type, wanted] of ROWS) {
  Deno.test(`differenceOf(): snooped: ${name}`, () => {
    const said = differenceOf({ registrations, type: typeNow }, key, type);
    if (wanted === null) assert.equal(said, null);
    else assert.match(said ?? "", wanted);
  });
}
