import assert from "node:assert/strict";
import { countResults } from "../../lab/host/junit.ts";

const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.009">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="a" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="b" classname="./a_test.ts" time="0.000" line="1" col="34">
            <skipped/>
        </testcase>
        <testcase name="c" classname="./a_test.ts" time="0.005" line="1" col="58">
            <failure message="x">&lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="c &gt; s1" classname="./a_test.ts" time="0.000" line="1" col="85">
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("countResults() counts each case once", () => {
  assert.deepEqual(countResults(JUNIT), { passed: 2, failed: 1, skipped: 1 });
});

Deno.test("countResults() finds nothing in nothing", () => {
  assert.deepEqual(countResults(""), { passed: 0, failed: 0, skipped: 0 });
});
