/**
 * The hand-over's window: while a LUN's reservation is being moved, guests' PR OUTs to it are answered BUSY.
 *
 *     RUN/window/naa.6001405....json    there: the window is open; gone, or its time is over: closed
 *
 * BUSY and not a wait: a command held back would keep QEMU from stopping its machine, and so deadlock the very migration.
 * The window has an end written into it, so that a hand-over that died cannot lock a guest out for ever; what an interrupted
 * hand-over left on the LUN is `prmig recover`'s business, not a waiting guest's.
 *
 * @module
 */
import { removeIfThere, writeAtomically } from "../files/atomic.ts";
import { dirname, join } from "../files/paths.ts";
import type { Bytes } from "../bytes.ts";
import { isThere } from "../sys/fd_facts.ts";
import { cString } from "../sys/libc.ts";
import { codeOf } from "../sg/host.ts";
import { lunFile } from "./state.ts";

/** A hand-over under way. */
export interface HandOverWindow {
  /** Id of the hand-over, as in its journal. */
  readonly handOver: string;
  /** Process that opened the window. */
  readonly pid: number;
  /** When the window closes by itself, milliseconds since 1970. */
  readonly until: number;
}

/** Where in the run directory the windows lie. */
export const WINDOW_DIRECTORY = "window";
/** Longest time a window may stay open by itself; a hand-over that takes longer opens it again. */
export const LONGEST_WINDOW_MS = 300_000;

/** Path of a LUN's window. */
export function windowFile(runDirectory: string, lunId: string): string {
  const file = lunFile(runDirectory, lunId);
  return join(join(runDirectory, WINDOW_DIRECTORY), file.slice(file.lastIndexOf("/") + 1));
}

/**
 * Opens the window of a LUN (its designator), or moves its end. Helpers see it at the next command. Rejects with
 * `FileError`; `RangeError` for an end that is too far away.
 */
export async function openWindow(runDirectory: string, lunId: string, window: HandOverWindow): Promise<void> {
  if (window.until > Date.now() + LONGEST_WINDOW_MS) {
    throw new RangeError("a window may stay open for 5 minutes at most");
  }
  const path = windowFile(runDirectory, lunId);
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  await writeAtomically(path, new TextEncoder().encode(JSON.stringify(window) + "\n"), { mode: 0o640 });
}

/** Closes the window of a LUN. Safe when it is closed already. */
export function closeWindow(runDirectory: string, lunId: string): Promise<void> {
  return removeIfThere(windowFile(runDirectory, lunId));
}

/** The window of a LUN if it is open now; `null` when it is closed. A file that says nothing sound counts as closed. */
export function windowOf(runDirectory: string, lunId: string, now: number = Date.now()): HandOverWindow | null {
  const path = pathOf(runDirectory, lunId);
  if (!isThere(path.c)) return null;
  let text: string;
  try {
    text = Deno.readTextFileSync(path.text);
  } catch (error) {
    codeOf(error); // not there, not permitted, gone while it was read: no window
    return null;
  }
  const window = decode(text);
  const sane = window !== null && window.until > now && window.until <= now + LONGEST_WINDOW_MS;
  return sane ? window : null;
}

/** Paths that have been asked about. */
const paths = new Map<string, Map<string, { readonly text: string; readonly c: Bytes }>>();

/**
 * A window's path, made once: this is asked at every PR OUT, and the answer is next to always that there is none. A look costs
 * half a microsecond this way; an attempt to read ends in an exception, which costs 8.
 */
function pathOf(runDirectory: string, lunId: string): { readonly text: string; readonly c: Bytes } {
  let ofRun = paths.get(runDirectory);
  if (!ofRun) paths.set(runDirectory, ofRun = new Map());
  let path = ofRun.get(lunId);
  if (!path) {
    const text = windowFile(runDirectory, lunId);
    ofRun.set(lunId, path = { text, c: cString(text) });
  }
  return path;
}

function decode(text: string): HandOverWindow | null {
  try {
    const raw: unknown = JSON.parse(text);
    if (typeof raw !== "object" || raw === null) return null;
    const { handOver, pid, until } = raw as Record<string, unknown>;
    if (typeof handOver !== "string" || typeof pid !== "number" || typeof until !== "number") return null;
    return { handOver, pid, until };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
