import assert from "node:assert/strict";
import { ADDRESS, BadValue, DURATION, KEY, PR_TYPE, type ValueKind } from "../../../lib/cli/values.ts";

const GOOD: readonly (readonly [kind: ValueKind<unknown>, word: string, value: unknown])[] = [
  [KEY, "123abc", 0x123abcn],
  [KEY, "0x123ABC", 0x123abcn],
  [KEY, "0x0000000000123abc", 0x123abcn],
  [KEY, "ffffffffffffffff", 0xffff_ffff_ffff_ffffn],
  [PR_TYPE, "5", 5],
  [PR_TYPE, "WE-RO", 5],
  [PR_TYPE, "we_ro", 5],
  [PR_TYPE, "ea", 3],
  [PR_TYPE, "Exclusive Access, All Registrants", 8],
  [PR_TYPE, "exclusive access all registrants", 8],
  [DURATION, "500ms", 500],
  [DURATION, "30s", 30_000],
  [DURATION, "1.5s", 1500],
  [DURATION, "2m", 120_000],
  [DURATION, "24h", 86_400_000],
  [ADDRESS, "/dev/sg3", "/dev/sg3"],
  [ADDRESS, "sim:lun.json?nexus=A", "sim:lun.json?nexus=A"],
];
for (const [kind, word, value] of GOOD) {
  Deno.test(`${kind.shape} reads ${word}`, () => assert.equal(kind.parse(word), value));
}

const WRONG: readonly (readonly [kind: ValueKind<unknown>, word: string, message: RegExp])[] = [
  [KEY, "0", /never registered/],
  [KEY, "0x", /1 to 16 hex digits/],
  [KEY, "12345678901234567", /1 to 16 hex digits/],
  [KEY, "xyz", /hex digits/],
  [KEY, "", /hex digits/],
  [PR_TYPE, "0", /1 \(WE\), 3 \(EA\), 5 \(WE-RO\)/],
  [PR_TYPE, "2", /reservation type/],
  [PR_TYPE, "", /reservation type/],
  [DURATION, "30", /with its unit/],
  [DURATION, "0s", /between 1ms and 24h/],
  [DURATION, "25h", /between 1ms and 24h/],
  [DURATION, "-1s", /with its unit/],
  [DURATION, "1e3s", /with its unit/],
  [ADDRESS, "", /empty/],
  [ADDRESS, "-x", /option/],
];
for (const [kind, word, message] of WRONG) {
  Deno.test(`${kind.shape} refuses "${word}"`, () => {
    assert.throws(() => kind.parse(word), (error) => error instanceof BadValue && message.test(error.message));
  });
}
