import assert from "node:assert/strict";
import { COMMANDS } from "../../../../lib/cli/commands.ts";
import { TOPICS } from "../../../../lib/cli/topics.ts";
import { completionScripts } from "../../../../tools/completion/scripts.ts";

/** What bash offers for the last word; `words` as bash takes them apart. */
async function offered(words: readonly string[], directory: string): Promise<string[]> {
  const script = `${completionScripts().get("prmig.bash")!}
compopt() { :; }  # only valid while bash itself completes
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_prmig
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--norc", "-c", script, "bash", ...words],
    cwd: directory,
  }).output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder().decode(stdout).split("\n").filter((word) => word !== "");
}

async function withFiles(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-completion-" });
  try {
    await Deno.writeTextFile(`${directory}/lun one.json`, "");
    await Deno.writeTextFile(`${directory}/other`, "");
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const CASES: readonly (readonly [words: readonly string[], wanted: readonly string[]])[] = [
  [["prmig", ""], COMMANDS.map(({ name }) => name)],
  [["prmig", "du"], ["dump"]],
  [["prmig", "--json", "du"], ["dump"]],
  [["prmig", "--ver"], ["--verbose", "--version"]],
  [["prmig", "dump", "--ti"], ["--timeout"]],
  [["prmig", "dump", "--timeout", ""], []],
  [["prmig", "preempt", "/dev/sdb", "--type", "WE-"], ["WE-RO", "WE-AR"]],
  [["prmig", "preempt", "--type", "=", "WE-"], ["WE-RO", "WE-AR"]],
  [["prmig", "preempt", "--type", "="], ["1", "WE", "3", "EA", "5", "WE-RO", "6", "EA-RO", "7", "WE-AR", "8", "EA-AR"]],
  [["prmig", "dump", "sim", ":", "lun"], ["lun one.json"]],
  [["prmig", "dump", "si"], ["sim:"]],
  [["prmig", "snoop", "--metrics", "o"], ["other"]],
  [["prmig", "snoop", "-u", "roo"], ["root"]],
  [["prmig", "help", "exit"], ["exit-codes"]],
];
for (const [words, wanted] of CASES) {
  Deno.test(`bash completes ${words.join(" ")}|`, () =>
    withFiles(async (directory) => assert.deepEqual((await offered(words, directory)).sort(), [...wanted].sort())));
}

Deno.test("bash completes every option of every command", () =>
  withFiles(async (directory) => {
    const { shellCommands } = await import("../../../../tools/completion/targets.ts");
    for (const { name, options } of shellCommands(COMMANDS)) {
      const got = await offered(["prmig", name, "--"], directory);
      assert.deepEqual(got.sort(), options.map(({ long }) => long).sort(), name);
    }
  }));

Deno.test("completion of help knows every topic", () =>
  withFiles(async (directory) => {
    const got = await offered(["prmig", "help", ""], directory);
    assert.deepEqual(got.sort(), [...COMMANDS.map(({ name }) => name), ...Object.keys(TOPICS)].sort());
  }));
