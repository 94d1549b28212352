/**
 * What both lab tasks share: provide, make Deno's cache complete, choose the accelerator, boot, and say honestly how it
 * ended.
 *
 *   exit 77   the lab cannot run on this machine (never with CI set: there it is exit 1)
 *
 * @module
 */
import { provision } from "../provision.ts";
import { LabUnavailable, output } from "./command.ts";
import { exists } from "./cache.ts";
import { chooseAccelerator } from "./kvm.ts";
import { runMachine, type Sink } from "./machine.ts";

const REPOSITORY = new URL("../../../", import.meta.url).pathname.replace(/\/$/, "");
const EXIT_SKIPPED = 77;
const EXIT_INTERRUPTED = 130;

export interface LabFlags {
  /** Seconds until the machine is ended; 0 for an interactive shell means a day. */
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  /** "auto" tries KVM. */
  readonly accelerator: "auto" | "kvm" | "tcg";
  /** Where logs and results go; a fresh directory if undefined. */
  readonly out: string | undefined;
}

export interface Boot extends LabFlags {
  readonly interactive: boolean;
  readonly command: readonly string[];
  /** Gets what the command prints, besides our own standard output. */
  readonly tee?: (bytes: Uint8Array) => void;
}

export interface BootResult {
  readonly code: number;
  readonly out: string;
}

/** Our own flags before the command: --timeout=SECONDS, --memory=MIB, --accel=auto|kvm|tcg, --out=DIR, then `--`. */
export function parseFlags(
  args: readonly string[],
  defaults: Partial<LabFlags> = {},
): { flags: LabFlags; rest: string[] } {
  let flags: LabFlags = { timeoutSeconds: 600, memoryMiB: 2048, accelerator: "auto", out: undefined, ...defaults };
  const rest = [...args];
  if (rest[0] === "--") rest.shift(); // deno task passes it on
  while (rest[0]?.startsWith("--")) {
    const word = rest.shift()!;
    const [, name, value] = /^--(timeout|memory|accel|out)=(.+)$/.exec(word) ?? [];
    if (word === "--") break;
    if (name === "timeout") flags = { ...flags, timeoutSeconds: Number(value) };
    else if (name === "memory") flags = { ...flags, memoryMiB: Number(value) };
    else if (name === "out") flags = { ...flags, out: value };
    else if (name === "accel" && (value === "auto" || value === "kvm" || value === "tcg")) {
      flags = { ...flags, accelerator: value };
    } else {
      rest.unshift(word);
      break;
    }
  }
  return { flags, rest };
}

/** Boots once, runs the command, gives back its exit code. @throws LabUnavailable */
export async function bootLab(boot: Boot): Promise<BootResult> {
  const note = (line: string): void => console.error(`lab: ${line}`);
  const kit = await provision(note);
  const env = await prepareDeno();
  const accelerator = boot.accelerator === "auto" ? await chooseAccelerator(kit) : boot.accelerator;
  const out = boot.out ?? await Deno.makeTempDir({ prefix: "prmig-lab-out-" });
  await Deno.mkdir(out, { recursive: true });
  for (const stale of ["exit-code", "failure"]) {
    if (await exists(`${out}/${stale}`)) await Deno.remove(`${out}/${stale}`);
  }
  note(`Linux ${kit.kernelVersion} under QEMU (${accelerator}); logs in ${out}`);
  const stop = new AbortController();
  const interrupted = (): void => stop.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  if (!boot.interactive) { for (const name of signals) Deno.addSignalListener(name, interrupted); }
  try {
    const code = await runMachine(
      {
        kit,
        accelerator,
        repository: REPOSITORY,
        command: boot.command,
        env,
        out: await Deno.realPath(out),
        timeoutMs: (boot.interactive ? 86_400 : boot.timeoutSeconds) * 1000,
        interactive: boot.interactive,
        memoryMiB: boot.memoryMiB,
        signal: stop.signal,
      },
      sinkTo(Deno.stdout, boot.tee),
      sinkTo(Deno.stderr),
    );
    return { code, out };
  } catch (error) {
    if (stop.signal.aborted) return { code: EXIT_INTERRUPTED, out };
    throw error;
  } finally {
    if (!boot.interactive) { for (const name of signals) Deno.removeSignalListener(name, interrupted); }
  }
}

function sinkTo(stream: { write(bytes: Uint8Array): Promise<number> }, tee?: (bytes: Uint8Array) => void): Sink {
  return async (bytes) => {
    tee?.(bytes);
    for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
  };
}

/** There is no network inside: all packages and compiled modules must be in DENO_DIR before. */
async function prepareDeno(): Promise<Record<string, string>> {
  const modules = ["main.ts", "tests/lab/init/luns.ts", ...filesBelow("tests/lab/suite")];
  const present: string[] = [];
  for (const path of modules) if (await exists(`${REPOSITORY}/${path}`)) present.push(path);
  if (present.length > 0) await output([Deno.execPath(), "cache", "--quiet", ...present], { cwd: REPOSITORY });
  const info = JSON.parse(await output([Deno.execPath(), "info", "--json"], { cwd: REPOSITORY }));
  const env: Record<string, string> = { DENO_DIR: info.denoDir };
  for (const [name, value] of Object.entries(Deno.env.toObject())) {
    if (/^(NO_COLOR|CI|PRMIG_\w+)$/.test(name)) env[name] = value;
  }
  return env;
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
