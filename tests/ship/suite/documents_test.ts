import assert from "node:assert/strict";
import { prepareLun, prepareShims, shellBlocks, unfencedCommands } from "../documents.ts";
import { BINARY, REPOSITORY, run, WORK } from "../support.ts";

const DOCUMENTS = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md"],
  ...["docs", "docs/decisions"].flatMap((directory) =>
    [...Deno.readDirSync(REPOSITORY + directory)].filter(({ isFile, name }) => isFile && name.endsWith(".md"))
      .map(({ name }) => `${directory}/${name}`).sort()
  ),
];
const read = (file: string): string => Deno.readTextFileSync(REPOSITORY + file);
const BLOCKS = DOCUMENTS.flatMap((file) => shellBlocks(file, read(file)));

Deno.test("every shell block says whether it is run, or why not", () => {
  const unmarked = BLOCKS.filter(({ mark }) =>
    mark === null || !/^(run$|run on: |run until stopped$|run in: repository$|not run: \S)/.test(mark)
  );
  assert.deepEqual(unmarked.map(({ file, line }) => `${file}:${line}`), []);
  assert.deepEqual(DOCUMENTS.flatMap((file) => unfencedCommands(file, read(file))), [], "or is no block");
  const run = BLOCKS.filter(({ mark }) => mark?.startsWith("run"));
  console.log(`    ${run.length} of ${BLOCKS.length} shell blocks in ${DOCUMENTS.length} documents are run`);
  assert.ok(run.length > BLOCKS.length / 2, "and most of them are");
});

/** Runs what the block says ($0) until it has printed a line, then presses Ctrl-C. */
const STOPPED = `set -m; sh -c "exec $0" >said & until [ -s said ]; do sleep 0.1; done; kill -INT $!; wait $!`;
const INTERRUPTED = 130;

for (const { file, line, script, mark } of BLOCKS) {
  if (mark === null || !mark.startsWith("run")) continue;
  Deno.test(`${file}:${line} does what it says`, async () => {
    const directory = await Deno.makeTempDir({ dir: WORK, prefix: "document-" });
    await prepareLun(directory, /^run on: (.+)$/.exec(mark)?.[1] ?? "held");
    const bin = await prepareShims(directory, BINARY);
    const own = Deno.execPath().replace(/\/[^/]+$/, "");
    const until = mark === "run until stopped";
    const ran = await run(["timeout", "60", "sh", "-eu", "-c", until ? STOPPED : script, script], {
      cwd: mark === "run in: repository" ? REPOSITORY : directory,
      env: {
        PATH: `${bin}:${own}:${Deno.env.get("PATH")}`,
        PRMIG_RUN_DIR: `${directory}/run`,
        PRMIG_STATE_DIR: `${directory}/state`,
        NO_COLOR: "1",
      },
    });
    assert.equal(ran.code, until ? INTERRUPTED : 0, `${script}\n--- stdout\n${ran.stdout}\n--- stderr\n${ran.stderr}`);
    await Deno.remove(directory, { recursive: true });
  });
}

Deno.test("no document leads to one that is not there", () => {
  const broken = DOCUMENTS.flatMap((file) => {
    const base = new URL(file, `file://${REPOSITORY}`);
    return [...read(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, to]) => to!).filter((to) => !/^[a-z]+:/.test(to))
      .filter((to) => !exists(new URL(to, base))).map((to) => `${file}: ${to}`);
  });
  assert.deepEqual(broken, []);
});

function exists(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
