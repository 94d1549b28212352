/**
 * `deno task test:lab`: one boot, all of tests/lab/suite/ in it.
 *
 *   deno task test:lab                                      everything
 *   deno task test:lab -- tests/lab/suite/lio_test.ts       some files, or any arguments for `deno test`
 *
 * The results stay in the out directory: junit.xml from Deno, summary.json from here, console.log from the kernel. The
 * last line on standard output counts them: `lab: N passed, N failed, N skipped`.
 *
 * Tests that import packaged_hosts.ts try the built file, which is made before the boot. What they print is compared with
 * tests/golden/lab/; with PRMIG_GOLDEN=update it is written there instead.
 *
 * @module
 */
import { build, writeExecutable } from "../../tools/build/build.ts";
import { exists } from "./host/cache.ts";
import { parseFlags } from "./host/flags.ts";
import { bootLab, endAs } from "./host/lab.ts";
import { countResults } from "./host/junit.ts";

const SUITE = "tests/lab/suite/";
const GOLDEN = "tests/golden/lab";
const SUITE_SECONDS = 4000;

await endAs(async () => {
  const { flags, rest } = parseFlags(Deno.args, { timeoutSeconds: SUITE_SECONDS });
  const chosen = rest.some((word) => word.startsWith("tests/")) ? rest : [...rest, SUITE];
  const started = Date.now();
  const directory = flags.out ?? await Deno.makeTempDir({ prefix: "prmig-lab-out-" });
  const built = `${directory}/prmig`;
  if (await needBuiltFile(chosen)) {
    await writeExecutable(built, await build({ arch: Deno.build.arch, runtime: null }));
    Deno.env.set("PRMIG_LAB_BINARY", "/lab-out/prmig");
  }
  const { code, out } = await bootLab({
    ...flags,
    out: directory,
    interactive: false,
    command: [
      ...[Deno.execPath(), "test", "-A", "--no-check", "--cached-only", "--junit-path=/lab-out/junit.xml"],
      // deno.json keeps the lab out of `deno test`, so here it is read for its imports only
      ...["--no-config", "--import-map=deno.json", "--lock=deno.lock", "--frozen"],
      ...chosen,
    ],
  });
  if (await exists(built)) await Deno.remove(built);
  await keepGolden(`${out}/golden`);
  const results = await exists(`${out}/junit.xml`)
    ? countResults(await Deno.readTextFile(`${out}/junit.xml`))
    : { passed: 0, failed: 0, skipped: 0 };
  const seconds = Math.round((Date.now() - started) / 1000);
  await Deno.writeTextFile(`${out}/summary.json`, `${JSON.stringify({ ...results, code, seconds })}\n`);
  const complaint = judge(code, results);
  if (complaint !== undefined) console.error(`lab: ${complaint}`);
  console.error(`lab: ${seconds} s; junit.xml, summary.json and console.log are in ${out}`);
  console.log(`lab: ${results.passed} passed, ${results.failed} failed, ${results.skipped} skipped`);
  return complaint === undefined ? 0 : 1;
});

/** Whether a test among the chosen ones asks for it. */
async function needBuiltFile(chosen: readonly string[]): Promise<boolean> {
  const files = chosen.flatMap((word) => {
    if (!word.startsWith("tests/")) return [];
    if (word.endsWith(".ts")) return [word];
    return Array.from(Deno.readDirSync(word), ({ name }) => `${word.replace(/\/$/, "")}/${name}`);
  });
  for (const file of files) {
    if ((await Deno.readTextFile(file)).includes('/packaged_hosts.ts"')) return true;
  }
  return false;
}

/** What the tests wrote as golden files, when they were asked to. */
async function keepGolden(from: string): Promise<void> {
  if (!await exists(from)) return;
  await Deno.mkdir(GOLDEN, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await Deno.copyFile(`${from}/${name}`, `${GOLDEN}/${name}`);
}

/** Why the run is no success, or undefined. A skipped test is none with CI set. */
function judge(code: number, results: { passed: number; failed: number; skipped: number }): string | undefined {
  if (results.failed > 0) return "tests failed";
  if (code !== 0) return `deno test ended with ${code} though no test failed`;
  if (results.passed === 0) return "no test was run";
  if (results.skipped > 0 && (Deno.env.get("CI") ?? "") !== "") return "in CI no test may be skipped";
  return undefined;
}
