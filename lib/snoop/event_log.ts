/**
 * The helper's events on disk: appended as NDJSON, so that `prmig watch` and an auditor can read them as they come.
 *
 *     RUN/events/helper-<pid>.ndjson      the newest
 *     RUN/events/helper-<pid>.1.ndjson    what came before, once the newest has grown to 1 MiB
 *
 * Whole lines alone are written, so a reader that stops at the last line feed reads whole events. Files of helpers that are
 * gone are removed when the next one starts.
 *
 * @module
 */
import { join } from "../files/paths.ts";
import { entries } from "../sg/host.ts";
import { eventToJson, type PrEvent } from "./event.ts";

/** Where in the run directory the files lie. */
export const EVENT_DIRECTORY = "events";
const NAME = /^helper-(\d+)(\.1)?\.ndjson$/;
const ROTATE_BYTES = 1 << 20;

/** A growing file of events. */
export class EventLog implements Disposable {
  readonly #path: string;
  readonly #older: string;
  #file: Deno.FsFile;
  #size = 0;

  /** Opens a new file; the directory is made if it is not there. Throws the system's errors. */
  constructor(runDirectory: string, pid: number = Deno.pid, readonly rotateBytes: number = ROTATE_BYTES) {
    const directory = join(runDirectory, EVENT_DIRECTORY);
    Deno.mkdirSync(directory, { recursive: true, mode: 0o750 });
    sweep(directory, pid);
    this.#path = join(directory, `helper-${pid}.ndjson`);
    this.#older = join(directory, `helper-${pid}.1.ndjson`);
    this.#file = this.#open();
  }

  /** Appends events. Throws the system's errors (no space left). */
  write(...events: readonly PrEvent[]): void {
    if (this.#size >= this.rotateBytes) this.#rotate();
    const lines = new TextEncoder().encode(events.map((event) => eventToJson(event) + "\n").join(""));
    for (let at = 0; at < lines.length;) at += this.#file.writeSync(lines.subarray(at));
    this.#size += lines.length;
  }

  /** Ends the file; it stays, for whoever comes late. */
  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Deno.FsFile {
    return Deno.openSync(this.#path, { create: true, write: true, append: true, truncate: false, mode: 0o640 });
  }

  #rotate(): void {
    this.#file.close();
    Deno.renameSync(this.#path, this.#older);
    this.#file = this.#open();
    this.#size = 0;
  }
}

/** Removes what helpers left behind that are no more, and what a dead namesake of ours left. */
function sweep(directory: string, ownPid: number): void {
  for (const name of entries(directory)) {
    const pid = Number(NAME.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid)) continue;
    if (pid === ownPid || !isThere(pid)) Deno.removeSync(join(directory, name));
  }
}

function isThere(pid: number): boolean {
  try {
    return Deno.statSync(`/proc/${pid}`).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
