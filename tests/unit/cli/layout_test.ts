import assert from "node:assert/strict";
import { definitionList, table, wrap, wrapText } from "../../../lib/cli/layout.ts";

Deno.test("wrap() breaks between words and keeps a long word whole", () => {
  assert.deepEqual(wrap("aa bb cc", 5), ["aa bb", "cc"]);
  assert.deepEqual(wrap("aa bbbbbbbbb cc", 5, " "), [" aa", " bbbbbbbbb", " cc"]);
  assert.deepEqual(wrap("", 5), []);
});

Deno.test("wrapText() wraps paragraphs and leaves what begins with a blank as it stands", () => {
  assert.deepEqual(wrapText("aa\nbb cc\n\n  x  y\n  z", 5), ["aa bb", "cc", "", "  x  y", "  z"]);
});

Deno.test("definitionList() gives a long term a line of its own", () => {
  assert.deepEqual(definitionList([["a", "one two"], ["b".repeat(30), "three"]], 40), [
    "  a                           one two",
    `  ${"b".repeat(30)}`,
    `${" ".repeat(30)}three`,
  ]);
});

Deno.test("table() aligns columns and leaves no blanks at line ends", () => {
  assert.deepEqual(table([["a", "b", "c"], ["aaa", "b", ""]]), ["a    b  c", "aaa  b"]);
});
