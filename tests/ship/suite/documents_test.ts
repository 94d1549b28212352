import assert from "node:assert/strict";
import { prepareLun, prepareShims, shellBlocks } from "../documents.ts";
import { BINARY, REPOSITORY, run, WORK } from "../support.ts";

const DOCUMENTS = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md"],
  ...[...Deno.readDirSync(`${REPOSITORY}docs`)].filter(({ isFile, name }) => isFile && name.endsWith(".md"))
    .map(({ name }) => `docs/${name}`).sort(),
];
const BLOCKS = DOCUMENTS.flatMap((file) => shellBlocks(file, Deno.readTextFileSync(REPOSITORY + file)));

Deno.test("every shell block says whether it is run, or why not", () => {
  const unmarked = BLOCKS.filter(({ mark }) =>
    mark === null || !/^(run$|run on: |run in: repository$|not run: \S)/.test(mark)
  );
  assert.deepEqual(unmarked.map(({ file, line }) => `${file}:${line}`), []);
  assert.ok(BLOCKS.filter(({ mark }) => mark?.startsWith("run")).length >= 12, "and most of them are");
});

for (const { file, line, script, mark } of BLOCKS) {
  if (mark === null || !mark.startsWith("run")) continue;
  Deno.test(`${file}:${line} does what it says`, async () => {
    const directory = await Deno.makeTempDir({ dir: WORK, prefix: "document-" });
    await prepareLun(directory, /^run on: (.+)$/.exec(mark)?.[1] ?? "held");
    const bin = await prepareShims(directory, BINARY);
    const own = Deno.execPath().replace(/\/[^/]+$/, "");
    const ran = await run(["timeout", "60", "sh", "-eu", "-c", script], {
      cwd: mark === "run in: repository" ? REPOSITORY : directory,
      env: {
        PATH: `${bin}:${own}:${Deno.env.get("PATH")}`,
        PRMIG_RUN_DIR: `${directory}/run`,
        PRMIG_STATE_DIR: `${directory}/state`,
        NO_COLOR: "1",
      },
    });
    assert.equal(ran.code, 0, `${script}\n--- stdout\n${ran.stdout}\n--- stderr\n${ran.stderr}`);
    await Deno.remove(directory, { recursive: true });
  });
}

Deno.test("no document leads to one that is not there", () => {
  const broken = DOCUMENTS.flatMap((file) => {
    const base = new URL(file, `file://${REPOSITORY}`);
    return [...Deno.readTextFileSync(base).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
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
