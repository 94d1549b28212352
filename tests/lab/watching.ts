/**
 * For the lab's tests of `prmig watch`: a watch at work, what it has told, what is in tracefs, and small C programs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Finished, labTest, prmigCommand, REPOSITORY, run, type Running, start } from "./support.ts";

/** An event as `watch --json` prints it. */
export interface Told {
  readonly time: string;
  readonly device: string;
  readonly event: string;
  readonly source: string;
  readonly serviceAction: string | null;
  readonly status: string | null;
  readonly key: string | null;
  readonly newKey: string | null;
  readonly type: number | null;
  readonly note?: string;
  readonly count?: number;
  readonly program?: string;
  readonly pid?: number;
  readonly after: { readonly key: string | null; readonly registrations?: readonly { readonly key: string }[] } | null;
}

/** A running `prmig watch --json`. */
export interface Watching {
  readonly running: Running;
  /** All events so far. */
  told(): Told[];
  /** Waits until a condition holds; fails after `timeoutMs` with what was told. */
  until(what: string, holds: (told: readonly Told[]) => boolean, timeoutMs?: number): Promise<Told[]>;
  /** SIGINT, and the end. */
  stop(): Promise<Finished>;
}

const begun: Running[] = [];

/** A test that starts from a fresh lab, and that no watch outlives. */
export function watchTest(name: string, body: (t: Deno.TestContext) => Promise<void>): void {
  labTest(name, async (t) => {
    try {
      await body(t);
    } finally {
      for (const running of begun.splice(0)) await end(running);
    }
  });
}

/** Ends a watch that a failed test has left. */
async function end(running: Running): Promise<void> {
  try {
    running.kill("SIGINT");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended
  }
  await running.finished;
}

/** Starts a watch and waits until it has looked at its LUNs, and the kernel's events have begun or been refused. */
export async function startWatch(
  args: readonly string[],
  { witnesses = 2, outlivesTest = false }: { witnesses?: number; outlivesTest?: boolean } = {},
): Promise<Watching> {
  const running = start(prmigCommand(["watch", "--json", ...args]), { timeoutMs: 200_000 });
  if (!outlivesTest) begun.push(running);
  const told = (): Told[] => {
    const { stdout } = running.printed();
    return stdout.slice(0, stdout.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "").map((line) =>
      JSON.parse(line) as Told
    );
  };
  const until: Watching["until"] = async (what, holds, timeoutMs = 90_000) => {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const now = told();
      if (holds(now)) return now;
      if (performance.now() > deadline) {
        const { stderr } = running.printed();
        assert.fail(`${what} was not told within ${timeoutMs} ms:\n${now.map(brief).join("\n")}\n${stderr}`);
      }
      await sleep(20);
    }
  };
  await until(
    "the beginning",
    (now) => now.filter(({ event }) => event === "up" || event === "down").length >= witnesses,
  );
  return {
    running,
    told,
    until,
    stop: async () => {
      running.kill("SIGINT");
      return await running.finished;
    },
  };
}

/** One event in a few words, for messages and comparisons. */
export function brief({ event, source, device, serviceAction, key, newKey, status, note }: Told): string {
  if (event !== "prOut") return `${event} ${source} ${device} ${status ?? ""} ${note ?? ""}`;
  return `${device} ${serviceAction} ${key} ${newKey} ${status}`;
}

/** The PERSISTENT RESERVE OUTs among the events, in few words, in order. */
export function commands(told: readonly Told[]): string[] {
  return told.filter(({ event }) => event === "prOut").map(brief);
}

/** A key as events print it. */
export function hexKey(key: bigint): string {
  return "0x" + key.toString(16).padStart(16, "0");
}

/** Compiles tests/lab/programs/NAME.c; gives the program's path. */
export async function compile(name: string): Promise<string> {
  const program = `/tmp/${name}`;
  const { code, stderr } = await run([
    "gcc",
    "-O1",
    "-Wall",
    "-Werror",
    "-o",
    program,
    `${REPOSITORY}/tests/lab/programs/${name}.c`,
  ]);
  assert.equal(code, 0, stderr);
  return program;
}

/** The number a program printed. */
export async function number(argv: readonly string[]): Promise<number> {
  const { code, stdout, stderr } = await run(argv);
  assert.equal(code, 0, `${argv.join(" ")}: ${stderr}`);
  return Number(stdout);
}

const TRACEFS = "/sys/kernel/tracing";

/** Trace instances and probe definitions there are, of prmig and of others. */
export function tracing(): { instances: string[]; probes: string[] } {
  return {
    instances: Array.from(Deno.readDirSync(`${TRACEFS}/instances`), ({ name }) => name),
    probes: Deno.readTextFileSync(`${TRACEFS}/kprobe_events`).split("\n").filter((line) => line !== "")
      .map((line) => line.split(" ")[0]!),
  };
}

/** Adds a line to a control file of tracefs, without truncating it. */
export function control(file: string, text: string): void {
  using handle = Deno.openSync(`${TRACEFS}/${file}`, { write: true, append: true });
  handle.writeSync(new TextEncoder().encode(text + "\n"));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
