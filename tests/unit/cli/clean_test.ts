import assert from "node:assert/strict";
import fc from "fast-check";
import { clean, cleanText, jsonLine } from "../../../lib/cli/clean.ts";
import { colours, gate, wantsColour } from "../../../lib/cli/colour.ts";

const CASES: readonly (readonly [name: string, raw: string, shown: string])[] = [
  ["ordinary text", "LIO-ORG  é 日本", "LIO-ORG  é 日本"],
  ["escape sequence", "\x1b[2Jgone", "\\x1b[2Jgone"],
  ["8-bit CSI", "\u009b31m", "\\x9b31m"],
  ["line break", "a\nerror: b", "a\\x0aerror: b"],
  ["carriage return, bell, NUL, DEL", "\r\x07\0\x7f", "\\x0d\\x07\\x00\\x7f"],
  ["right-to-left override", "abc\u202efed", "abc\\u{202e}fed"],
  ["zero-width space, byte order mark", "a\u200b\ufeffb", "a\\u{200b}\\u{feff}b"],
  ["line separator", "a\u2028b", "a\\u{2028}b"],
  ["tag character beyond the first plane", "a\u{e0041}b", "a\\u{e0041}b"],
  ["lone surrogate", "a\ud800b", "a\ufffdb"],
];
for (const [name, raw, shown] of CASES) {
  Deno.test(`clean(): ${name}`, () => assert.equal(clean(raw), shown));
}

Deno.test("cleanText() keeps line breaks and tabs, nothing else", () => {
  assert.equal(cleanText("a\n\tb\r\x1b[0m"), "a\n\tb\\x0d\\x1b[0m");
});

Deno.test("jsonLine() is the same JSON and holds no control character", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const line = jsonLine({ text });
    assert.deepEqual(JSON.parse(line), { text });
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }));
});

Deno.test("gate() lets our own colours pass, and only when colour is on", () => {
  const { bad } = colours(true);
  assert.equal(gate(bad("x") + "\x1b[8mhidden", true), "\x1b[31mx\x1b[0m\\x1b[8mhidden");
  assert.equal(gate(bad("x"), false), "\\x1b[31mx\\x1b[0m");
});

Deno.test("colours(false) adds nothing", () => {
  const { strong, faint, bad, good, notice } = colours(false);
  assert.equal([strong, faint, bad, good, notice].map((style) => style("x")).join(""), "xxxxx");
});

Deno.test("wantsColour(): a terminal, no NO_COLOR, not a dumb one", () => {
  const env = (vars: Record<string, string>) => (name: string): string | undefined => vars[name];
  assert.equal(wantsColour(true, env({ TERM: "xterm" })), true);
  assert.equal(wantsColour(false, env({ TERM: "xterm" })), false);
  assert.equal(wantsColour(true, env({ NO_COLOR: "1" })), false);
  assert.equal(wantsColour(true, env({ NO_COLOR: "" })), true);
  assert.equal(wantsColour(true, env({ TERM: "dumb" })), false);
});
