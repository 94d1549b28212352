/**
 * A world for the command line that keeps what is printed, and a way to run `prmig WORDS...` in it.
 *
 * @module
 */
import type { Command } from "../../lib/cli/command.ts";
import type { World } from "../../lib/cli/context.ts";
import { main } from "../../lib/cli/main.ts";
import { printer, type Sink } from "../../lib/cli/printer.ts";

/** What a run left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A world in memory. */
export interface MemoryWorld extends World {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Delivers a signal to whoever listens; tells how many listened. */
  readonly interrupt: (signal: string) => number;
}

/** Circumstances a test may choose. */
export interface WorldOptions {
  readonly colour?: boolean;
  readonly stdin?: string;
  /** Replaces stdout's sink, to make it fail. */
  readonly stdoutSink?: Sink;
}

/** Makes a world that prints into memory. */
export function memoryWorld({ colour = false, stdin = "", stdoutSink }: WorldOptions = {}): MemoryWorld {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const listeners = new Set<(signal: string) => void>();
  const sink = stdoutSink ?? ((bytes: Uint8Array): void => void out.push(bytes.slice()));
  const text = (parts: Uint8Array[]): string => parts.map((part) => new TextDecoder().decode(part)).join("");
  return {
    out: printer(sink, { colour, isTerminal: colour }),
    err: printer((bytes) => void err.push(bytes.slice()), { colour, isTerminal: colour }),
    env: () => undefined,
    stdin: { isTerminal: false, stream: () => ReadableStream.from([new TextEncoder().encode(stdin)]) },
    writeStdout: sink,
    closeStdout: () => Promise.resolve(),
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stdout: () => text(out),
    stderr: () => text(err),
    interrupt: (signal) => {
      for (const listener of [...listeners]) listener(signal);
      return listeners.size;
    },
  };
}

/** The built file, when the suite is to be run against it instead of the sources: PRMIG_BINARY (tests/ship). */
export const BINARY: string | undefined = Deno.env.get("PRMIG_BINARY");

/** Runs `prmig WORDS...`; a text is split at blanks. */
export async function prmig(
  words: string | readonly string[],
  { commands, ...options }: WorldOptions & { commands?: readonly Command[] } = {},
): Promise<Ran> {
  const list = typeof words === "string" ? words.split(" ").filter((word) => word !== "") : words;
  const needsOurWorld = commands !== undefined || options.colour === true || options.stdoutSink !== undefined;
  if (BINARY !== undefined && !needsOurWorld) return runBinary(BINARY, list, options.stdin ?? "");
  const world = memoryWorld(options);
  const code = await main(list, world, commands);
  return { code, stdout: world.stdout(), stderr: world.stderr() };
}

async function runBinary(binary: string, words: readonly string[], stdin: string): Promise<Ran> {
  const child = new Deno.Command(binary, {
    args: [...words],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ended = child.output();
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // a command need not read its stdin
  }
  const { code, stdout, stderr } = await ended;
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
