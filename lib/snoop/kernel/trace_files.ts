/**
 * The tracefs tree as plain files: the few ways prmig touches it, and none that could hurt others.
 *
 * Nothing here opens a file for truncation: on `kprobe_events` and `set_event` that deletes what everybody on the host
 * has set up. Nothing creates a file. A test puts a made-up tree in its place.
 *
 * @module
 */
import { describeErrno } from "../../sys/errno.ts";

/** Access to a tree of control files. Every method throws an error with a `code` such as `ENOENT`. */
export interface TraceFiles {
  /** Writes one command to a control file, without truncating or creating it. */
  write(path: string, text: string): void;
  read(path: string): string;
  /** Names in a directory. */
  list(path: string): string[];
  makeDirectory(path: string): void;
  removeDirectory(path: string): void;
}

const utf8 = new TextEncoder();

/** The real tree. */
export const TRACE_FILES: TraceFiles = {
  write(path, text): void {
    using file = Deno.openSync(path, { write: true, append: true });
    const bytes = utf8.encode(text);
    const written = file.writeSync(bytes);
    if (written !== bytes.length) throw new Error(`${path} took ${written} of ${bytes.length} bytes`);
  },
  read: (path) => Deno.readTextFileSync(path),
  list: (path) => Array.from(Deno.readDirSync(path), (entry) => entry.name),
  makeDirectory: (path) => Deno.mkdirSync(path),
  removeDirectory: (path) => Deno.removeSync(path),
};

/**
 * The `code` of a failed file operation; rethrows anything else, which is a defect and no state of the host.
 *
 * The runtime names the commoner errors only; ENODEV, say, comes as a bare "(os error 19)".
 */
export function codeOf(error: unknown): string {
  if (error instanceof Error) {
    if ("code" in error && typeof error.code === "string") return error.code;
    const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
    if (number !== undefined) return describeErrno(Number(number)).name;
  }
  throw error;
}

/** Runs a file operation; `null` when it went through, else its error's `code`. */
export function attempt(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return codeOf(error);
  }
}
