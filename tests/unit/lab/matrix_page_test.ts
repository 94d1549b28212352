/** The page of the failure matrix: what was run, what went wrong, and on what each run was made. */
import assert from "node:assert/strict";
import { cellsOf, nameOf, TYPES } from "../../lab/matrix/failures.ts";
import { type Line, merge, page } from "../../lab/matrix/report.ts";

const [first, second, third] = cellsOf(5) as [Line["cell"], Line["cell"], Line["cell"]];
const ran = { exit: 0, remedyExit: null, side: "destination", lun: "B=beef*", failedWrites: 0, seconds: 9 } as const;
const made = { at: "2026-11-29", commit: "abc", on: "Linux 6.1 (user-mode)" };

Deno.test("the page counts what is right, wrong and not run, and says on what each run was made", () => {
  const text = page([
    { cell: first, ran, ...made },
    { cell: second, failure: "the guest is\n gone", ...made },
    { cell: third, failure: "not run: no time left" },
  ]);
  const all = TYPES.flatMap(cellsOf).length;
  assert.equal(all, 236);
  assert.match(text, new RegExp(`\\*\\*1 of ${all} runs right, 1 wrong, ${all - 2} not run\\.\\*\\*`));
  assert.match(text, new RegExp(`- ${RegExp.escape(nameOf(second))}: the guest is gone`));
  assert.match(text, /\| 2026-11-29 \| abc \| Linux 6\.1 \(user-mode\) \| 2 \|/);
});

Deno.test("a run that is made again replaces the older one, and nothing else", () => {
  const old: Line[] = [{ cell: first, failure: "wrong" }, { cell: second, ran }];
  assert.deepEqual(merge(old, [{ cell: first, ran, ...made }]), [old[1], { cell: first, ran, ...made }]);
});
