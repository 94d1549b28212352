/**
 * What a test in tests/lab/suite/ has at hand: the lab's LUNs, programs to run, sg_persist as the independent witness,
 * prmig itself, and an sshd on loopback.
 *
 *   labTest("a stranger is fenced", async () => {
 *     const { A, B } = lun().nexuses;
 *     await register(A, 0xabcn);
 *     await reserve(A, 0xabcn, 5);
 *     assert.equal(await write(B), "conflict");
 *   });
 *
 * Everything here works only inside the lab (`deno task test:lab`). All test files run in one boot, one after the
 * other; `labTest` gives each test LUNs without registrations.
 *
 * @module
 */
import { describeLuns, type Lab, type LabLun, type LabPath, NEXUS_NAMES, recreateLuns } from "./init/luns.ts";

export type { Lab, LabLun, LabPath, NexusName } from "./init/luns.ts";
export { fullStatus, type LunState, readState, type Registrant, sgPersist } from "./witness.ts";
export { type Finished, pipe, type Piped, run, type Running, type RunOptions, start } from "./run.ts";
export { type Sshd, startSshd } from "./sshd.ts";

import { HEAP_OPTION } from "../../tools/build/settings.ts";
import { type Finished, run, type RunOptions } from "./run.ts";
import { ask, ATTENTIONS, readState, SG_UNIT_ATTENTION, SgPersistFailed } from "./witness.ts";

/** The repository, at the same path as outside. */
export const REPOSITORY: string = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** All LUNs and the paths to them, read from sysfs now. @throws Error outside the lab */
export function lab(): Lab {
  if (Deno.env.get("PRMIG_LAB_JSON") === undefined) throw new Error("this runs in the lab only: deno task test:lab");
  return describeLuns();
}

/** LUN 0, or another. Ask again after `resetLun`: names may change. */
export function lun(number = 0): LabLun {
  const found = lab().luns[number];
  if (found === undefined) throw new Error(`the lab has no LUN ${number}`);
  return found;
}

/**
 * Takes a LUN away and makes it anew, like a power loss without APTPL: no registrations, no reservation, PRGENERATION 0,
 * no unit attention pending anywhere, all zeros. Takes about 0.6 s.
 */
export async function resetLun(number = 0): Promise<LabLun> {
  const { luns } = await recreateLuns([number]);
  return luns[number]!;
}

/** Gives every LUN back its first day if anybody has registered with it since, and removes prmig's own state. */
export async function freshLab(): Promise<void> {
  const touched: number[] = [];
  for (const [number, { nexuses }] of lab().luns.entries()) if (await isTouched(nexuses.A)) touched.push(number);
  if (touched.length > 0) await recreatePatiently(touched);
  for (const path of ["/run/prmig", "/var/lib/prmig"]) {
    try {
      await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Whether anybody has registered with a LUN; one that an SPC-2 RESERVE keeps from being read is not as new either. */
async function isTouched(path: LabPath): Promise<boolean> {
  try {
    const { generation, registrants } = await readState(path);
    return generation !== 0 || registrants.length > 0;
  } catch (error) {
    if (error instanceof SgPersistFailed && error.code === SG_RESERVATION_CONFLICT) return true;
    throw error;
  }
}

/** A busy kernel may not be done with an old LUN when the new one is looked at; said, and done once more. */
async function recreatePatiently(numbers: readonly number[]): Promise<void> {
  try {
    await recreateLuns(numbers);
  } catch (error) {
    console.error(`lab: LUN ${numbers.join(" and ")} made anew a second time: ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await recreateLuns(numbers);
  }
}

/** A test that starts from a fresh lab. */
export function labTest(name: string, body: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test(name, async (t) => {
    await freshLab();
    await body(t);
  });
}

/** The command line that starts prmig with `args`: from the bundle made before the boot, else from the sources. */
export function prmigCommand(args: readonly string[]): string[] {
  const deno = [Deno.execPath(), "run", "-A", HEAP_OPTION, "--no-check", "--cached-only"];
  const bundle = localBundle();
  return bundle ? [...deno, "--no-config", bundle, ...args] : [...deno, `${REPOSITORY}/main.ts`, ...args];
}

/** The bundle on the lab's own disk: reading it over 9p each time would cost what it saves. */
function localBundle(): string | null {
  const made = Deno.env.get("PRMIG_LAB_PROGRAM");
  if (made === undefined) return null;
  const local = "/run/prmig-lab/prmig.js";
  try {
    Deno.statSync(local);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    Deno.mkdirSync("/run/prmig-lab", { recursive: true });
    Deno.copyFileSync(made, local);
  }
  return local;
}

/** Runs prmig to its end. */
export function prmig(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(prmigCommand(args), options);
}

/** Registers `key` through a path, whatever was registered there before. */
export async function register(path: LabPath, key: bigint): Promise<void> {
  await ask(["--out", "--register-ignore", `--param-sark=0x${key.toString(16)}`, path.sg]);
}

/** Makes the path's nexus, registered under `key`, the holder of a reservation of `type` (1, 3, 5, 6, 7 or 8). */
export async function reserve(path: LabPath, key: bigint, type: number): Promise<void> {
  await ask(["--out", "--reserve", `--param-rk=0x${key.toString(16)}`, `--prout-type=${type}`, path.sg]);
}

/** Has the nexus `path` preempt `victim`. `type` is that of the reservation it then holds. */
export async function preempt(path: LabPath, key: bigint, victim: bigint, type: number): Promise<void> {
  const keys = [`--param-rk=0x${key.toString(16)}`, `--param-sark=0x${victim.toString(16)}`];
  await ask(["--out", "--preempt", ...keys, `--prout-type=${type}`, path.sg]);
}

/** WRITE(10) of one block through a path's own nexus; likewise `read`. A unit attention is taken first. */
export function write(path: LabPath): Promise<"ok" | "conflict"> {
  return transfer(["--send=512", "--infile=/dev/zero", path.sg, "2a", ...ONE_BLOCK]);
}

export function read(path: LabPath): Promise<"ok" | "conflict"> {
  return transfer(["--request=512", "--outfile=/dev/null", path.sg, "28", ...ONE_BLOCK]);
}

/** The rest of READ(10) and WRITE(10): block 2048, one block. */
const ONE_BLOCK = ["00", "00", "00", "08", "00", "00", "00", "01", "00"];

const SG_RESERVATION_CONFLICT = 24;

async function transfer(args: readonly string[]): Promise<"ok" | "conflict"> {
  let { code, stderr } = await run(["sg_raw", ...args]);
  for (let left = ATTENTIONS; code === SG_UNIT_ATTENTION && left > 0; left--) {
    ({ code, stderr } = await run(["sg_raw", ...args]));
  }
  if (code === 0) return "ok";
  if (code === SG_RESERVATION_CONFLICT) return "conflict";
  throw new Error(`sg_raw ${args.join(" ")}: exit ${code}: ${stderr}`);
}

/** Takes every pending unit attention from every path of a LUN, so that a test's first command meets none. */
export async function drainAttentions(number = 0): Promise<void> {
  const { nexuses } = lun(number);
  for (const name of NEXUS_NAMES) await run(["sg_turs", "--number=3", nexuses[name].sg]);
}
