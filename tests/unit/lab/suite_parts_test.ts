import assert from "node:assert/strict";
import { NEEDS_QEMU, partsOf } from "../../lab/host/suite_parts.ts";

Deno.test("each file of the suite is run on the machine it needs, in one run of each", () => {
  assert.deepEqual(partsOf(["a/lio_test.ts", "a/watch_view_test.ts", "a/bench_test.ts", "b_test.ts"]), [
    { machine: "um", files: ["a/lio_test.ts", "a/bench_test.ts", "b_test.ts"] },
    { machine: "qemu", files: ["a/watch_view_test.ts", "a/bench_test.ts"] },
  ]);
  assert.deepEqual(partsOf(["watch_view_test.ts"]), [{ machine: "qemu", files: ["watch_view_test.ts"] }]);
  assert.deepEqual(partsOf([]), []);
});

Deno.test("no file that needs the virtual machine is named in vain", () => {
  const there = [...Deno.readDirSync("tests/lab/suite")].map(({ name }) => name);
  assert.deepEqual(Object.keys(NEEDS_QEMU).filter((name) => !there.includes(name)), []);
});
