/**
 * The helpers of this host: their events as they are written, and which processes they are.
 *
 * @module
 */
import { followEvents } from "../../snoop/event_feed.ts";
import { EVENT_DIRECTORY } from "../../snoop/event_log.ts";
import type { HelperFeed } from "../../snoop/watch.ts";

/** What helpers tell from now on; `null` when the run directory is not ours to read. */
export function helperFeed(runDirectory: string, signal: AbortSignal): HelperFeed | null {
  const directory = `${runDirectory}/${EVENT_DIRECTORY}`;
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o750 });
    Deno.readDirSync(directory)[Symbol.iterator]().next();
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) return null;
    if (error instanceof Error && "code" in error) return null; // a read-only file system, say
    throw error;
  }
  return {
    events: followEvents(runDirectory, { fromStart: false, signal }),
    isHelper: (pid) => isThere(`${directory}/helper-${pid}.ndjson`),
  };
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
