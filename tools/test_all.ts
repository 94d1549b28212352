/**
 * Everything that can be tested, in one run: the checks, the tests without a kernel, what is shipped, the lab with one, two hosts.
 *
 * The last line on stdout is the sum: `N passed, N failed`, with `, N skipped` where there were any. Exits 1 when
 * anything failed. A lab that cannot start is a failure under CI and a loud, named skip elsewhere.
 *
 * @module
 */
import { addTallies, closingTally, junitTally, type Tally, tallyLine } from "./tally.ts";

/** Exit status of a suite with its own runner when the machine cannot run it at all. */
const CANNOT_START = 77;
const inCi = !["", "0", "false", undefined].includes(Deno.env.get("CI"));

/** Runs `deno WORDS...`, shows its output as it comes, and keeps its stdout. */
async function deno(...words: string[]): Promise<{ code: number; stdout: string }> {
  console.log(`\n=== deno ${words.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), { args: words, stdout: "piped", stderr: "inherit" }).spawn();
  let stdout = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    await writeAll(text);
  }
  return { code: (await child.status).code, stdout };
}

async function writeAll(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

async function checks(): Promise<Tally> {
  const { code } = await deno("task", "check");
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

async function unitTests(): Promise<Tally> {
  const report = await Deno.makeTempFile({ prefix: "prmig-junit-", suffix: ".xml" });
  try {
    const { code } = await deno("task", "test:unit", `--junit-path=${report}`);
    const tally = junitTally(await Deno.readTextFile(report));
    // A run that ended badly without a failed test (a module that does not load, a leak) is one failure all the same.
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
  } finally {
    await Deno.remove(report);
  }
}

/** A suite with its own runner and closing line. */
async function suite(name: string, what: string): Promise<Tally> {
  const { code, stdout } = await deno("task", `test:${name}`);
  if (code === CANNOT_START && !inCi) {
    console.log(`\n*** SKIPPED: ${what} cannot be tested here; the reason stands above ***`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const tally = closingTally(name, stdout) ?? { passed: 0, failed: 1, skipped: 0 };
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

const parts: [name: string, run: () => Promise<Tally>][] = [
  ["checks", checks],
  ["tests without a kernel", unitTests],
  ["ship", () => suite("ship", "what is shipped (the file, the packages)")],
  ["lab", () => suite("lab", "the lab (tests on a real kernel)")],
  ["hosts", () => suite("hosts", "two hosts and their storage (three machines)")],
];
const tallies: Tally[] = [];
const summary: string[] = [];
for (const [name, run] of parts) {
  const tally = await run();
  tallies.push(tally);
  summary.push(`${name}: ${tallyLine(tally)}`);
}
const total = addTallies(tallies);
console.log(`\n${summary.join("\n")}\n${tallyLine(total)}`);
Deno.exit(total.failed > 0 ? 1 : 0);
