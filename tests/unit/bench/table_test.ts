import assert from "node:assert/strict";
import type { Row } from "../../../bench/figure.ts";
import { sample } from "../../../bench/measure.ts";
import { met, round, tableText } from "../../../bench/table.ts";

const row: Row = {
  figure: "a figure",
  unit: "ms",
  prmig: sample([13, 11, 12]),
  peers: { script: sample([120]), limit: sample([10, 10]) },
  targets: [
    { says: "15 x faster than the script", against: "script", atMost: 1 / 15 },
    { says: "at most 1.3 x the limit", against: "limit", atMost: 1.3 },
    { says: "at most 12 ms", against: null, atMost: 12 },
    { says: "at least 13 ms", against: null, atLeast: 13 },
  ],
  note: "why",
};

Deno.test("the median of several measurements counts, and none is no measurement", () => {
  assert.deepEqual(sample([3, 1, 2, 10]), { median: 2.5, min: 1, max: 10, count: 4 });
  assert.throws(() => sample([]), RangeError);
});

Deno.test("a target is a ratio to a peer, or a bound of its own, above or below", () => {
  assert.deepEqual(row.targets.map((target) => met(row, target)), [false, true, true, false]);
  assert.throws(() => met(row, { says: "", against: "nobody", atMost: 1 }), RangeError);
});

Deno.test("the table shows each peer with the ratio, each target with its outcome, and the note", () => {
  assert.deepEqual(tableText([row]).split("\n"), [
    "FIGURE            MEDIAN      RANGE  PRMIG /  TARGET",
    "a figure  prmig    12 ms  11-13 (3)           MISSED: 15 x faster than the script",
    "          script  120 ms       once    0.1 x  met: at most 1.3 x the limit",
    "          limit    10 ms  10-10 (2)    1.2 x  met: at most 12 ms",
    "                                              MISSED: at least 13 ms",
    "",
    "a figure: why",
    "",
  ]);
});

Deno.test("three digits count", () => {
  assert.deepEqual([0, 0.001234, 0.05, 1.2345, 98.76, 1234.5, 123456].map(round), [
    "0",
    "0.00123",
    "0.05",
    "1.23",
    "98.8",
    "1,235",
    "123,456",
  ]);
});
