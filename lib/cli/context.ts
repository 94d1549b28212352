/**
 * What a command gets from the world: two printers, what was asked of every command, and the wish to stop.
 *
 * @module
 */
import type { Printer } from "./printer.ts";

/** The process as the command line sees it; a test makes its own. */
export interface World {
  /** Results. */
  readonly out: Printer;
  /** Everything else. */
  readonly err: Printer;
  readonly env: (name: string) => string | undefined;
  readonly stdin: ByteSource;
  /** Raw bytes to stdout, for a stream that programs read; throws `Deno.errors.BrokenPipe` when its reader has gone. */
  readonly writeStdout: (bytes: Uint8Array) => void;
  /** Ends stdout, so that its reader sees the end while this process goes on. Nothing can be written to it after that. */
  readonly closeStdout: () => Promise<void>;
  /** Calls back at every SIGINT, SIGTERM and SIGHUP, with its name, until the returned function is called. */
  readonly onInterrupt: (listener: (signal: string) => void) => () => void;
}

/** Standard input. */
export interface ByteSource {
  readonly isTerminal: boolean;
  readonly stream: () => ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** What `run` of a command receives beside its arguments. */
export interface CommandContext extends Omit<World, "onInterrupt"> {
  readonly json: boolean;
  readonly verbose: boolean;
  /** Aborted at the first interrupt. A command that changes a LUN cleans up and says how the LUN is. */
  readonly signal: AbortSignal;
  /** The text on a command or topic, of everything when there is none; a usage error where there is no such text. */
  readonly help: (topic: string | undefined) => string;
}
