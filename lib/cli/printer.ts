/**
 * Where a command's words go: stdout or stderr, a terminal, a pipe or a test.
 *
 * A printer passes no control characters but our own colours (see colour.ts). When the reader of a pipe has gone,
 * it falls silent: `prmig dump | head -1` is no error.
 *
 * @module
 */
import { jsonLine } from "./clean.ts";
import { type Colour, colours, gate } from "./colour.ts";

/** A stream of text for a person or a program. */
export interface Printer {
  readonly colour: Colour;
  readonly isTerminal: boolean;
  /** Width to lay out for; 80 when there is no terminal to ask. */
  readonly columns: number;
  /** The reader has gone; whatever is printed from now on is lost. Followers stop when they see it. */
  readonly closed: boolean;
  /** Prints lines (the text may hold several); control characters become visible. */
  line(text: string): void;
  /** Prints a value as one line of JSON. */
  json(value: unknown): void;
}

/** Takes all bytes or throws; `Deno.errors.BrokenPipe` when nobody reads any more. */
export type Sink = (bytes: Uint8Array) => void;

const utf8 = new TextEncoder();

/** What was to be printed cannot be written, say because the disk is full. */
export class OutputError extends Error {
  /** For logs. */
  override readonly name = "OutputError";
}

/** How a printer behaves; a plain, 80 columns wide stdout when left out. */
export interface PrinterOptions {
  readonly isTerminal?: boolean;
  readonly columns?: number;
  readonly colour?: boolean;
  /** For stderr: where nothing can be told any more, the exit code still is. Otherwise {@link OutputError} is thrown. */
  readonly silentFailure?: boolean;
}

/** A printer over a sink. */
export function printer(
  sink: Sink,
  { isTerminal = false, columns = 80, colour = false, silentFailure = false }: PrinterOptions = {},
): Printer {
  let closed = false;
  const put = (text: string): void => {
    if (closed) return;
    try {
      sink(utf8.encode(text + "\n"));
    } catch (error) {
      if (!silentFailure && !(error instanceof Deno.errors.BrokenPipe)) {
        throw new OutputError(`Cannot write the output: ${error instanceof Error ? error.message : error}`);
      }
      closed = true;
    }
  };
  return {
    colour: colours(colour),
    isTerminal,
    columns,
    get closed(): boolean {
      return closed;
    },
    line: (text) => put(gate(text, colour)),
    json: (value) => put(jsonLine(value)),
  };
}

/** A writer that takes part of what it is given, as Deno.stdout does. */
export interface PartialWriter {
  writeSync(bytes: Uint8Array): number;
}

/** A sink over stdout or stderr. Somebody else may have made the pipe non-blocking (ssh does): then it waits. */
export function streamSink(stream: PartialWriter): Sink {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      try {
        at += stream.writeSync(bytes.subarray(at));
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        Atomics.wait(clock, 0, 0, 5);
      }
    }
  };
}
