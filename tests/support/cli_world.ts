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

/** Runs `prmig WORDS...`; a text is split at blanks. */
export async function prmig(
  words: string | readonly string[],
  { commands, ...options }: WorldOptions & { commands?: readonly Command[] } = {},
): Promise<Ran> {
  const world = memoryWorld(options);
  const list = typeof words === "string" ? words.split(" ").filter((word) => word !== "") : words;
  const code = await main(list, world, commands);
  return { code, stdout: world.stdout(), stderr: world.stderr() };
}
