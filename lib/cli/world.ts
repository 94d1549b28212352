/**
 * The real world of a command: this process's streams, environment and signals.
 *
 * @module
 */
import { wantsColour } from "./colour.ts";
import type { World } from "./context.ts";
import { type PartialWriter, type Printer, printer, streamSink } from "./printer.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** This process. */
export function processWorld(): World {
  const env = (name: string): string | undefined => Deno.env.get(name);
  return {
    out: streamPrinter(Deno.stdout, env, false),
    err: streamPrinter(Deno.stderr, env, true),
    env,
    stdin: {
      get isTerminal(): boolean {
        return Deno.stdin.isTerminal();
      },
      stream: () => Deno.stdin.readable,
    },
    writeStdout: streamSink(Deno.stdout),
    closeStdout: async () => (await import("../sys/fd.ts")).endStdout(),
    onInterrupt: (listener) => {
      const listeners = SIGNALS.map((signal) => [signal, () => listener(signal)] as const);
      for (const [signal, call] of listeners) Deno.addSignalListener(signal, call);
      return () => {
        for (const [signal, call] of listeners) Deno.removeSignalListener(signal, call);
      };
    },
  };
}

function streamPrinter(
  stream: PartialWriter & { isTerminal(): boolean },
  env: (name: string) => string | undefined,
  silentFailure: boolean,
): Printer {
  const isTerminal = stream.isTerminal();
  return printer(streamSink(stream), {
    isTerminal,
    columns: isTerminal ? terminalColumns() : 80,
    colour: wantsColour(isTerminal, env),
    silentFailure,
  });
}

/** Some terminals have no size to tell, or say 0. */
function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch (error) {
    if (error instanceof Error) return 80;
    throw error;
  }
}
