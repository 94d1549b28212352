/**
 * What both lab tasks share: provide, make Deno's cache complete, choose the accelerator, boot, and say honestly how it
 * ended.
 *
 *   exit 77   the lab cannot start on this machine (never with CI set: there it is exit 1)
 *
 * @module
 */
import { type LabKit, provision } from "../provision.ts";
import { LabDied, LabUnavailable, output } from "./command.ts";
import { exists } from "./cache.ts";
import { FLAG_HELP, FlagError, type LabFlags } from "./flags.ts";
import { chooseAccelerator } from "./kvm.ts";
import { runMachine } from "./machine.ts";
import type { Orders, Sink } from "./orders.ts";
import { runUserMode } from "./user_mode.ts";
import { provideUserMode } from "./user_mode_kit.ts";

export const REPOSITORY = new URL("../../../", import.meta.url).pathname.replace(/\/$/, "");
const EXIT_USAGE = 2;
const EXIT_SKIPPED = 77;
const EXIT_INTERRUPTED = 130;

export interface Boot extends LabFlags {
  readonly interactive: boolean;
  readonly command: readonly string[];
}

export interface BootResult {
  readonly code: number;
  readonly out: string;
}

/** Boots once, runs the command, gives back its exit code. @throws LabUnavailable */
export async function bootLab(boot: Boot): Promise<BootResult> {
  const note = (line: string): void => console.error(`lab: ${line}`);
  const kit = await provision(note);
  const env = await prepareDeno(note);
  const out = boot.out ?? await Deno.makeTempDir({ prefix: "prmig-lab-out-" });
  await Deno.mkdir(out, { recursive: true });
  for (const stale of ["started", "exit-code", "failure", "junit.xml", "summary.json"]) {
    if (await exists(`${out}/${stale}`)) await Deno.remove(`${out}/${stale}`);
  }
  const program = await bundleProgram(out, note);
  if (program !== null) env.PRMIG_LAB_PROGRAM = program;
  const stop = new AbortController();
  const interrupted = (): void => stop.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  if (!boot.interactive) { for (const name of signals) Deno.addSignalListener(name, interrupted); }
  try {
    const code = await runOn(boot, kit, {
      repository: REPOSITORY,
      command: boot.command,
      env,
      out: await Deno.realPath(out),
      timeoutMs: (boot.interactive ? 86_400 : boot.timeoutSeconds) * 1000,
      interactive: boot.interactive,
      memoryMiB: boot.memoryMiB,
      signal: stop.signal,
    }, note);
    return { code, out };
  } catch (error) {
    if (stop.signal.aborted) return { code: EXIT_INTERRUPTED, out };
    throw error;
  } finally {
    if (!boot.interactive) { for (const name of signals) Deno.removeSignalListener(name, interrupted); }
  }
}

type Bounded = Orders & { readonly timeoutMs: number; readonly memoryMiB: number; readonly signal: AbortSignal };

async function runOn(boot: Boot, kit: LabKit, orders: Bounded, note: (line: string) => void): Promise<number> {
  const streams = [sinkTo(Deno.stdout), sinkTo(Deno.stderr)] as const;
  if (boot.accelerator === "um") {
    const kernel = await provideUserMode(kit.depmod, note);
    note(`Linux ${kernel.kernelVersion} in user mode; /lab-out is ${orders.out}`);
    return await runUserMode({ ...orders, kit, kernel }, ...streams);
  }
  const accelerator = boot.accelerator === "auto" ? await chooseAccelerator(kit) : boot.accelerator;
  note(`Linux ${kit.kernelVersion} under QEMU (${accelerator}); /lab-out is ${orders.out}`);
  return await runMachine({ ...orders, kit, accelerator }, ...streams);
}

function sinkTo(stream: { write(bytes: Uint8Array): Promise<number> }): Sink {
  return async (bytes) => {
    for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
  };
}

/** There is no network inside: all packages and compiled modules must be in DENO_DIR before. */
export async function prepareDeno(
  note: (line: string) => void,
  more: readonly string[] = [],
): Promise<Record<string, string>> {
  const modules = ["main.ts", "tests/lab/init/luns.ts", "bench/inside.ts", ...filesBelow("tests/lab/suite"), ...more];
  const present: string[] = [];
  for (const path of modules) if (await exists(`${REPOSITORY}/${path}`)) present.push(path);
  try {
    await output([Deno.execPath(), "cache", "--quiet", ...present], { cwd: REPOSITORY });
  } catch (error) {
    // a module that is broken will say so itself when it is run
    note(`not everything could be cached: ${(error as Error).message}`);
  }
  const info = JSON.parse(await output([Deno.execPath(), "info", "--json"], { cwd: REPOSITORY }));
  const env: Record<string, string> = { DENO_DIR: info.denoDir };
  for (const [name, value] of Object.entries(Deno.env.toObject())) {
    if (/^(NO_COLOR|CI|PRMIG_\w+)$/.test(name)) env[name] = value;
  }
  return env;
}

/** One file instead of some two hundred modules: prmig starts in half the time, which under emulation is two seconds. */
export async function bundleProgram(out: string, note: (line: string) => void): Promise<string | null> {
  const entry = `${REPOSITORY}/tools/bundle_entry.ts`;
  try {
    await output([Deno.execPath(), "bundle", "--quiet", "--platform", "deno", "-o", `${out}/prmig.js`, entry], {
      cwd: REPOSITORY,
    });
    return "/lab-out/prmig.js";
  } catch (error) {
    note(`prmig runs from its sources, not from a bundle: ${(error as Error).message}`);
    return null;
  }
}

function* filesBelow(path: string): Generator<string> {
  for (const entry of Deno.readDirSync(`${REPOSITORY}/${path}`)) {
    if (entry.isDirectory) yield* filesBelow(`${path}/${entry.name}`);
    else if (entry.name.endsWith(".ts")) yield `${path}/${entry.name}`;
  }
}

/** Ends this program with what `run` gives, or says why the lab could not run. */
export async function endAs(run: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await run());
  } catch (error) {
    if (error instanceof FlagError) {
      console.error(`lab: ${error.message}\n${FLAG_HELP}`);
      Deno.exit(EXIT_USAGE);
    }
    if (error instanceof LabDied) {
      console.error(`lab: FAILED: ${error.message}`);
      Deno.exit(1);
    }
    if (!(error instanceof LabUnavailable)) throw error;
    if ((Deno.env.get("CI") ?? "") !== "") {
      console.error(`lab: FAILED to start: ${error.message}`);
      Deno.exit(1);
    }
    const bar = "*".repeat(72);
    console.error(`${bar}\n* LAB SKIPPED: nothing in it was run. The reason:\n* ${error.message}\n${bar}`);
    Deno.exit(EXIT_SKIPPED);
  }
}
