import assert from "node:assert/strict";
import { GLOBAL_OPTIONS, optionName } from "../../../lib/cli/command.ts";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { parseWords } from "../../../lib/cli/dispatch.ts";
import { commandHelp, programHelp } from "../../../lib/cli/help.ts";
import { TOPICS } from "../../../lib/cli/topics.ts";
import { VERSION } from "../../../lib/cli/version.ts";

/** The `prmig ...` parts of an example line, as words; quotes and pipes as a shell has them. */
function invocations(line: string): string[][] {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\|)|([^\s'"|]+)/g)]
    .map((match) => ({ text: match[1] ?? match[2] ?? match[3] ?? match[4]!, quoted: match[4] === undefined }));
  const found: string[][] = [];
  let current: string[] | null = null;
  for (const { text, quoted } of words) {
    if (!quoted && text === "prmig") found.push(current = []);
    else if (text === "|") current = null;
    else if (!quoted && text === ">") current = null;
    else current?.push(text);
  }
  return found;
}

for (const command of COMMANDS) {
  const { name } = command;

  Deno.test(`${name}: every option is in an example`, () => {
    const lines = command.examples.map(({ line }) => line).join("\n");
    assert.ok(command.examples.length > 0, "an example");
    const missing = Object.entries(command.options).filter(([property, { short }]) => {
      const forms = short === undefined ? `--${optionName(property)}` : `(--${optionName(property)}|-${short})`;
      return !new RegExp(`(^| )${forms}(?=[ =]|$)`, "m").test(lines);
    });
    assert.deepEqual(missing.map(([property]) => `--${optionName(property)}`), []);
  });

  Deno.test(`${name}: every example is a command line that is understood`, async () => {
    for (const { line } of command.examples) {
      const calls = invocations(line);
      assert.ok(calls.some(([first]) => first === name), `${line} is an example of ${name}`);
      for (const words of calls) {
        const parsed = await parseWords(COMMANDS, words);
        assert.equal(parsed.kind, "run", `${words.join(" ")}: ${parsed.kind === "wrong" ? parsed.message : ""}`);
      }
    }
  });

  Deno.test(`${name}: help fits 80 columns, examples aside`, () => {
    const examples = command.examples.map(({ line }) => `  ${line}`);
    const long = commandHelp(command).split("\n").filter((line) => line.length > 80 && !examples.includes(line));
    assert.deepEqual(long.slice(long[0]?.startsWith(`prmig ${name}: `) ? 1 : 0), []);
  });

  Deno.test(`${name}: summary without full stop, description, every kind of exit said`, () => {
    assert.doesNotMatch(command.summary, /\.$/);
    assert.notEqual(command.description.trim(), "");
    if (command.changesLun) assert.ok("unsure" in command.exits, "a command that changes a LUN can lose its answer");
  });
}

Deno.test("program help and topics fit 80 columns", () => {
  const lines = [programHelp(COMMANDS), ...Object.values(TOPICS).map(({ text }) => text.replaceAll(/^(?! ).*$/gm, ""))];
  assert.deepEqual(lines.flatMap((text) => text.split("\n")).filter((line) => line.length > 80), []);
});

Deno.test("no topic has the name of a command", () => {
  assert.deepEqual(COMMANDS.filter(({ name }) => Object.hasOwn(TOPICS, name)), []);
});

Deno.test("global options have the short forms the manual promises", () => {
  assert.deepEqual([GLOBAL_OPTIONS.verbose.short, GLOBAL_OPTIONS.help.short], ["v", "h"]);
});

Deno.test("the version is deno.json's, the runtime's pin is the same everywhere", () => {
  const read = (path: string): string => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));
  assert.equal(JSON.parse(read("deno.json")).version, VERSION);
  const pins = ["README.md", ".ci/run", "docs/quick-start.md"].flatMap((path) => {
    const found = [...read(path).matchAll(/deno@(\d+\.\d+\.\d+)/g)].map((match) => match[1]);
    assert.notEqual(found.length, 0, path);
    return found;
  });
  assert.deepEqual([...new Set(pins)], ["2.9.6"]);
});
