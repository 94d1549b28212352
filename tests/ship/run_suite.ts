/**
 * `deno task test:ship`: builds the one file, then tries what is shipped: the file, the packages, the documents.
 *
 *   deno task test:ship                                      everything
 *   deno task test:ship -- tests/ship/suite/built_file_test.ts
 *
 * Needs root (chroot, mounts) and, for the first time, Debian's mirror. The last line on standard output counts:
 * `ship: N passed, N failed, N skipped`. Exits 77 where it cannot be run at all, and 1 for that under CI.
 *
 * @module
 */
import { addTallies, junitTally, type Tally, tallyLine } from "../../tools/tally.ts";
import { build, writeExecutable } from "../../tools/build/build.ts";
import { exists } from "../lab/host/cache.ts";
import { LabUnavailable } from "../lab/host/command.ts";
import { provideRoots } from "./roots.ts";

const CANNOT_START = 77;
const SUITE = "tests/ship/suite/";
/** The command line's own tests, which cli_world.ts lets run against the file. */
const COMMAND_LINE = ["tests/golden/cli_test.ts", "tests/unit/cli/"];
const ROOT_CACHE = "/var/cache/prmig";

const say = (line: string): void => console.error(`ship: ${line}`);

async function run(): Promise<number> {
  const chosen = Deno.args.filter((word) => word !== "--");
  const started = Date.now();
  const work = await Deno.makeTempDir({ prefix: "prmig-ship-" });
  const hadCache = await exists(ROOT_CACHE);
  try {
    const { clean, workshop, nspawn } = await provideRoots(say);
    const binary = `${work}/prmig`;
    await writeExecutable(binary, await build({ arch: Deno.build.arch, runtime: null }));
    const env = {
      PRMIG_SHIP_BINARY: binary,
      PRMIG_SHIP_WORK: work,
      PRMIG_SHIP_CLEAN: clean,
      PRMIG_SHIP_WORKSHOP: workshop,
      PRMIG_SHIP_NSPAWN: JSON.stringify(nspawn),
    };
    const tallies = [await test(chosen.length > 0 ? chosen : [SUITE], env, work)];
    if (chosen.length === 0) {
      say("the command line's own suite, against the built file");
      tallies.push(await test(COMMAND_LINE, { PRMIG_BINARY: binary }, work));
    }
    const total = addTallies(tallies);
    say(`${Math.round((Date.now() - started) / 1000)} s`);
    console.log(`ship: ${tallyLine(total)}`);
    return total.failed > 0 || total.passed === 0 ? 1 : 0;
  } finally {
    await Deno.remove(work, { recursive: true });
    if (!hadCache && await exists(ROOT_CACHE)) await Deno.remove(ROOT_CACHE, { recursive: true });
  }
}

/** Runs `deno test`; what is not in its report counts as one failure. */
async function test(files: readonly string[], env: Record<string, string>, work: string): Promise<Tally> {
  const report = `${work}/junit-${crypto.randomUUID()}.xml`;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--no-check", `--junit-path=${report}`],
      // deno.json keeps this suite out of `deno test`, so here it is read for its imports only
      ...["--no-config", "--import-map=deno.json", "--lock=deno.lock", "--frozen"],
      ...files,
    ],
    env: { ...env, NO_COLOR: "1" },
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  const tally = junitTally(await exists(report) ? await Deno.readTextFile(report) : "");
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

try {
  if (Deno.uid() !== 0) throw new LabUnavailable("installing a package into a root takes root");
  Deno.exit(await run());
} catch (error) {
  if (!(error instanceof LabUnavailable)) throw error;
  const inCi = (Deno.env.get("CI") ?? "") !== "";
  say(`${inCi ? "FAILED to start" : "SKIPPED, nothing of it was run"}: ${error.message}`);
  Deno.exit(inCi ? 1 : CANNOT_START);
}
