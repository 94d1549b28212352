/**
 * Processes of the lab by what they are, from /proc.
 *
 * @module
 */

/** Descendants of `pid` that run a program of this name. */
export async function childrenOf(pid: number, program: string): Promise<number[]> {
  const found: number[] = [];
  for (const child of await directChildren(pid)) {
    const [argv0] = await commandLine(child);
    if (argv0 === program || argv0?.endsWith(`/${program}`)) found.push(child);
    found.push(...await childrenOf(child, program));
  }
  return found;
}

/** Processes of prmig that were started with all of these words. */
export async function othersOf(words: readonly string[]): Promise<{ pid: number; argv: string[] }[]> {
  const found: { pid: number; argv: string[] }[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const argv = await commandLine(Number(name));
    const isPrmig = argv.some((word) => word.endsWith("/prmig.js") || word.endsWith("/main.ts"));
    // A `migrate` has recv in the one word of its --to; here it is a word of its own.
    if (isPrmig && words.every((word) => argv.includes(word))) found.push({ pid: Number(name), argv });
  }
  return found;
}

/** Whether a process is there and is no zombie. */
export function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !["Z", "X"].includes(stat.slice(stat.lastIndexOf(")") + 2)[0]!);
  } catch (error) {
    if (!gone(error)) throw error;
    return false;
  }
}

async function directChildren(pid: number): Promise<number[]> {
  const found: number[] = [];
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      const text = await Deno.readTextFile(`/proc/${pid}/task/${name}/children`);
      found.push(...text.split(" ").filter((word) => word.trim() !== "").map(Number));
    }
  } catch (error) {
    if (!gone(error)) throw error;
  }
  return found;
}

async function commandLine(pid: number): Promise<string[]> {
  try {
    return (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0").slice(0, -1);
  } catch (error) {
    if (!gone(error)) throw error;
    return [];
  }
}

/** It ended while it was looked at. */
function gone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Error && /ESRCH|os error 3/.test(error.message);
}
