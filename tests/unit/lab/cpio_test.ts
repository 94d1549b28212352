import assert from "node:assert/strict";
import { characterDevice, directory, encodeCpio, file, link } from "../../lab/host/cpio.ts";

interface Decoded {
  readonly name: string;
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

/** Reads an archive by the format's description, sharing nothing with the writer. */
function decode(bytes: Uint8Array): Decoded[] {
  const ascii = (from: number, to: number): string => new TextDecoder().decode(bytes.subarray(from, to));
  const up = (n: number): number => (n + 3) & ~3;
  const entries: Decoded[] = [];
  for (let at = 0;;) {
    assert.equal(ascii(at, at + 6), "070701");
    const field = (index: number): number => parseInt(ascii(at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameEnd = at + 110 + field(11);
    const name = ascii(at + 110, nameEnd - 1);
    const start = up(nameEnd);
    if (name === "TRAILER!!!") return entries;
    entries.push({
      ...{ name, mode: field(1), major: field(9), minor: field(10) },
      text: ascii(start, start + field(6)),
    });
    at = up(start + field(6));
  }
}

Deno.test("encodeCpio() writes files, directories, links and devices that a reader of the format finds again", () => {
  const archive = encodeCpio([
    directory("bin"),
    file("bin/sh", "odd"),
    file("empty", "", 0o644),
    link("init", "bin/sh"),
    characterDevice("console", 5, 1),
  ]);
  assert.equal(archive.length % 4, 0);
  assert.deepEqual(decode(archive), [
    { name: "bin", mode: 0o040755, major: 0, minor: 0, text: "" },
    { name: "bin/sh", mode: 0o100755, major: 0, minor: 0, text: "odd" },
    { name: "empty", mode: 0o100644, major: 0, minor: 0, text: "" },
    { name: "init", mode: 0o120777, major: 0, minor: 0, text: "bin/sh" },
    { name: "console", mode: 0o020600, major: 5, minor: 1, text: "" },
  ]);
});
