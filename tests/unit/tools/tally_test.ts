import assert from "node:assert/strict";
import { addTallies, closingTally, junitTally, tallyLine } from "../../../tools/tally.ts";

Deno.test("junitTally() counts suites; steps and ignored tests are in their attributes", () => {
  const xml = `<?xml version="1.0"?>
<testsuites name="deno test" tests="7" failures="1" errors="0" time="0.1">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="1"><testcase name="x"/></testsuite>
    <testsuite name="./b_test.ts" tests="2" disabled="0" errors="0" failures="0">
    </testsuite>
</testsuites>`;
  assert.deepEqual(junitTally(xml), { passed: 5, failed: 1, skipped: 1 });
});

Deno.test("junitTally(): a report without a suite is a failure, not zero failures", () => {
  assert.equal(junitTally("<testsuites></testsuites>").failed, 1);
  assert.equal(junitTally("").failed, 1);
});

Deno.test("closingTally() reads the last line alone", () => {
  assert.deepEqual(closingTally("lab", "noise\nlab: 12 passed, 0 failed, 1 skipped\n"), {
    passed: 12,
    failed: 0,
    skipped: 1,
  });
  assert.deepEqual(closingTally("lab", "lab: 3 passed, 1 failed"), { passed: 3, failed: 1, skipped: 0 });
  assert.equal(closingTally("lab", "lab: 3 passed, 1 failed\nand then it broke\n"), null);
  assert.equal(closingTally("lab", ""), null);
});

Deno.test("tallyLine() is the closing line", () => {
  const sum = addTallies([{ passed: 1, failed: 0, skipped: 0 }, { passed: 2, failed: 1, skipped: 3 }]);
  assert.equal(tallyLine(sum), "3 passed, 1 failed, 3 skipped");
  assert.equal(tallyLine({ ...sum, skipped: 0 }), "3 passed, 1 failed");
});

Deno.test("closingTally() believes nobody else's line", () => {
  assert.deepEqual(closingTally("ship", "x\nship: 5 passed, 0 failed\n"), { passed: 5, failed: 0, skipped: 0 });
  assert.equal(closingTally("ship", "lab: 5 passed, 0 failed\n"), null);
});
