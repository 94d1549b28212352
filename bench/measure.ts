/**
 * Measuring: peers in turn, so that a machine that changes its speed changes it for all; medians.
 *
 * @module
 */
import type { Sample, Scale } from "./figure.ts";

/** Sums measurements up. Throws `RangeError` when there are none. */
export function sample(values: readonly number[]): Sample {
  if (values.length === 0) throw new RangeError("nothing was measured");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length };
}

/** Rounds of measuring: 1 when small. */
export function rounds(scale: Scale, full: number): number {
  return scale.small ? 1 : full;
}

/** Runs each contender once a round, in turn; `warmUp` rounds are not counted. Each gives its own value. */
export async function inTurn<Name extends string>(
  count: number,
  contenders: Readonly<Record<Name, () => Promise<number>>>,
  warmUp = 1,
): Promise<Record<Name, Sample>> {
  const names = Object.keys(contenders) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  // A single round only shows that it works.
  for (let round = count > 1 ? -warmUp : 0; round < count; round++) {
    for (const name of names) {
      const value = await contenders[name]();
      if (round >= 0) values[name].push(value);
    }
  }
  return Object.fromEntries(names.map((name) => [name, sample(values[name])])) as Record<Name, Sample>;
}

/** Milliseconds that something takes. */
export async function timed(what: () => Promise<unknown> | unknown): Promise<number> {
  const begun = performance.now();
  await what();
  return performance.now() - begun;
}

/** Milliseconds a program takes from its start to its end. Throws when it fails. */
export async function timedProgram(argv: readonly string[], env: Record<string, string> = {}): Promise<number> {
  return await timed(() => ran(argv, env));
}

/** Runs a program to its end; its standard output. Throws when it fails. */
export async function ran(argv: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const [program, ...args] = argv as [string, ...string[]];
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" }).output();
  const text = new TextDecoder();
  if (code !== 0) throw new Error(`${argv.join(" ")}: exit ${code}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Compiles bench/programs/NAME.c; the program's path. The caller removes its directory. */
export async function compiled(name: string, directory: string): Promise<string> {
  const program = `${directory}/${name}`;
  const source = new URL(`programs/${name}.c`, import.meta.url).pathname;
  await ran(["gcc", "-O2", "-Wall", "-Werror", "-pthread", "-o", program, source]);
  return program;
}

/** Runs `body` with a directory that is gone afterwards. */
export async function withDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-bench-" });
  try {
    return await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Resident memory of a process, and the most it ever was, in MiB. */
export function residentMiB(pid: number): { now: number; most: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { now: field("VmRSS"), most: field("VmHWM") };
}

/** The most resident memory a program has while it runs, in MiB, as far as looking every few milliseconds shows it. */
export async function mostMiB(argv: readonly string[]): Promise<number> {
  const [program, ...args] = argv as [string, ...string[]];
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  let most = 0;
  let over = false;
  const ended = child.status.finally(() => over = true);
  while (!over) {
    try {
      most = Math.max(most, residentMiB(child.pid).most || 0);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  const { code } = await ended;
  if (code !== 0) throw new Error(`${argv.join(" ")}: exit ${code}`);
  return most;
}

/** Processor time of a process and of its children that have ended, in seconds. */
export function processorSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / 100;
}
