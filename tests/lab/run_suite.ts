/**
 * `deno task test:lab`: all of tests/lab/suite/, each file on the machine it needs: one boot of user-mode Linux, one of the
 * virtual machine.
 *
 *   deno task test:lab                                      everything
 *   deno task test:lab -- tests/lab/suite/lio_test.ts       some files, or any arguments for `deno test`
 *   deno task test:lab -- --accel=auto                      everything in the virtual machine; --accel=um, in user-mode Linux
 *
 * The results stay in the out directory, below `um` and `qemu`: junit.xml from Deno, console.log from the kernel; summary.json,
 * the sum, above them. The last line on standard output counts them: `lab: N passed, N failed, N skipped`.
 *
 * Tests that import packaged_hosts.ts try the built file, which is made before the boot. What they print is compared with
 * tests/golden/lab/; with PRMIG_GOLDEN=update it is written there instead.
 *
 * @module
 */
import { build, writeExecutable } from "../../tools/build/build.ts";
import { exists } from "./host/cache.ts";
import { type LabFlags, parseFlags } from "./host/flags.ts";
import { bootLab, endAs } from "./host/lab.ts";
import { countResults, type Counts } from "./host/junit.ts";
import { type Machine, partsOf } from "./host/suite_parts.ts";

const SUITE = "tests/lab/suite/";
const GOLDEN = "tests/golden/lab";
const SUITE_SECONDS = 4000;
/** User-mode Linux has its root's changes in memory as well, and all guests. */
const MEMORY_MIB = { um: 4096, qemu: 2048 } as const;

await endAs(async () => {
  const { flags, rest } = parseFlags(Deno.args, { timeoutSeconds: SUITE_SECONDS });
  const byHand = Deno.args.some((word) => word.startsWith("--accel="));
  const words = rest.filter((word) => !word.startsWith("tests/"));
  const named = rest.filter((word) => word.startsWith("tests/"));
  const files = (named.length > 0 ? named : [SUITE]).flatMap(filesBelow);
  const parts = byHand
    ? [{ machine: flags.accelerator === "um" ? "um" as const : "qemu" as const, files }]
    : partsOf(files);
  const started = Date.now();
  const out = flags.out ?? await Deno.makeTempDir({ prefix: "prmig-lab-out-" });
  const total = { passed: 0, failed: 0, skipped: 0 };
  const complaints: string[] = [];
  for (const { machine, files } of parts) {
    const accelerator = byHand ? flags.accelerator : machine === "um" ? "um" : "auto";
    const memoryMiB = Math.max(flags.memoryMiB, MEMORY_MIB[machine]);
    const { counts, complaint } = await runPart(machine, files, words, {
      ...flags,
      accelerator,
      memoryMiB,
      out: `${out}/${machine}`,
    });
    for (const name of ["passed", "failed", "skipped"] as const) total[name] += counts[name];
    if (complaint !== undefined) complaints.push(`${machine}: ${complaint}`);
  }
  if (complaints.length === 0 && total.passed === 0) complaints.push("no test was run");
  const seconds = Math.round((Date.now() - started) / 1000);
  await Deno.writeTextFile(`${out}/summary.json`, `${JSON.stringify({ ...total, complaints, seconds })}\n`);
  for (const complaint of complaints) console.error(`lab: ${complaint}`);
  console.error(`lab: ${seconds} s; results are in ${out}`);
  console.log(`lab: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return complaints.length === 0 ? 0 : 1;
});

/** One boot. */
async function runPart(
  machine: Machine,
  files: readonly string[],
  words: readonly string[],
  flags: LabFlags & { readonly out: string },
): Promise<{ counts: Counts; complaint: string | undefined }> {
  await Deno.mkdir(flags.out, { recursive: true });
  const built = `${flags.out}/prmig`;
  if (await needBuiltFile(files)) {
    await writeExecutable(built, await build({ arch: Deno.build.arch, runtime: null }));
    Deno.env.set("PRMIG_LAB_BINARY", "/lab-out/prmig");
  }
  const { code, out } = await bootLab({
    ...flags,
    interactive: false,
    command: [
      ...[Deno.execPath(), "test", "-A", "--no-check", "--cached-only", "--junit-path=/lab-out/junit.xml"],
      // deno.json keeps the lab out of `deno test`, so here it is read for its imports only
      ...["--no-config", "--import-map=deno.json", "--lock=deno.lock", "--frozen"],
      ...words,
      ...files,
    ],
  });
  if (await exists(built)) await Deno.remove(built);
  await keepGolden(`${out}/golden`);
  const counts = await exists(`${out}/junit.xml`)
    ? countResults(await Deno.readTextFile(`${out}/junit.xml`))
    : { passed: 0, failed: 0, skipped: 0 };
  console.error(`lab: ${machine}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return { counts, complaint: judge(code, counts) };
}

function filesBelow(word: string): string[] {
  if (word.endsWith(".ts")) return [word];
  const directory = word.replace(/\/$/, "");
  return Array.from(Deno.readDirSync(directory), ({ name }) => `${directory}/${name}`)
    .filter((file) => file.endsWith("_test.ts")).sort();
}

/** Whether a test among the chosen ones asks for it. */
async function needBuiltFile(files: readonly string[]): Promise<boolean> {
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
function judge(code: number, results: Counts): string | undefined {
  if (results.failed > 0) return "tests failed";
  if (code !== 0) return `deno test ended with ${code} though no test failed`;
  if (results.skipped > 0 && (Deno.env.get("CI") ?? "") !== "") return "in CI no test may be skipped";
  return undefined;
}
