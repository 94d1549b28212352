import assert from "node:assert/strict";
import { completionScripts } from "../../tools/completion/scripts.ts";
import { manualPages } from "../../tools/man/pages.ts";
import { assertGolden } from "../support/golden.ts";

// A fixed release: a new version or date is no change of the pages.
const RELEASE = { version: "0.0.0", date: "2000-01-01", epoch: 946684800 };

const GENERATED = [
  ["man", manualPages(RELEASE)],
  ["completions", completionScripts()],
] as const;
for (const [directory, files] of GENERATED) {
  for (const [name, text] of files) {
    Deno.test(`golden: ${directory}/${name}`, () => assertGolden(`${directory}/${name}`, text));
  }

  Deno.test(`golden: ${directory} holds no file that is not made any more`, () => {
    const there = Array.from(Deno.readDirSync(new URL(`${directory}/`, import.meta.url)), ({ name }) => name);
    assert.deepEqual(there.sort(), [...files.keys()].sort());
  });
}
