import assert from "node:assert/strict";
import { COMMANDS } from "../../../../lib/cli/commands.ts";
import { programHelp } from "../../../../lib/cli/help.ts";
import { VERSION } from "../../../../lib/cli/version.ts";
import { RUNTIME_ARGUMENTS } from "../../../../tools/build/settings.ts";

/** A program in place of the bundle: says its words, and ends with 7. */
const PROGRAM = `export function start(words) { console.error(JSON.stringify(words)); return Promise.resolve(7); }`;

/** Starts the runtime as the one file does, with what stands for the program at `program`. */
async function begin(program: string, words: readonly string[], stdout?: string): Promise<[number, string, string]> {
  const argv = [Deno.execPath(), ...RUNTIME_ARGUMENTS, program, ...words];
  const [command, ...args] = stdout === undefined ? argv : ["sh", "-c", `exec "$@" >${stdout}`, "sh", ...argv];
  const done = await new Deno.Command(command!, { args, env: { DENO_NO_UPDATE_CHECK: "1" } }).output();
  const text = new TextDecoder();
  return [done.code, text.decode(done.stdout), text.decode(done.stderr)];
}

Deno.test("the first module answers --version and --help without the program", async () => {
  const cases = [["--version", VERSION], ["-V", VERSION], ["--help", programHelp(COMMANDS)], [
    "-h",
    programHelp(COMMANDS),
  ]];
  for (const [word, answer] of cases as [string, string][]) {
    assert.deepEqual(await begin("/nonexistent/program.mjs", [word]), [0, `${answer}\n`, ""], word);
  }
});

Deno.test("the first module starts the program for all other words, and ends as it does", async () => {
  const program = await Deno.makeTempFile({ prefix: "prmig-first-", suffix: ".mjs" });
  try {
    await Deno.writeTextFile(program, PROGRAM);
    for (const words of [[], ["dump", "--help"], ["--version", "--json"], ["constructor"], ["a b", ""]]) {
      assert.deepEqual(await begin(program, words), [7, "", `${JSON.stringify(words)}\n`]);
    }
    // What stdout does not take is the program's to explain.
    assert.deepEqual(await begin(program, ["--help"], "/dev/full"), [7, "", '["--help"]\n']);
  } finally {
    await Deno.remove(program);
  }
});
