/**
 * Tells a `prmig snoop` on this host when a LUN's reservation is being moved, so that it answers its guests' PR OUTs BUSY:
 * a guest that changed the reservation in the middle would meet its own key gone, or take it away from under the move.
 *
 * The journal's phases are the moments: the window opens before the first command that matters is sent, and closes when
 * the journal does.
 *
 * @module
 */
import type { JournalEntry } from "../../migrate/journal_entry.ts";
import type { OpenJournal } from "../../migrate/journal.ts";
import { closeWindow, LONGEST_WINDOW_MS, openWindow } from "../../snoop/window.ts";
import { FileError } from "../../files/file_error.ts";
import type { CommandContext } from "../context.ts";
import { runDirectory } from "../run_directory.ts";

/** Phases before which a guest's own PR OUT is still in its right. */
const OUTSIDE: readonly JournalEntry["phase"][] = ["offered", "closed"];

/** A journal that opens and closes the windows of its LUNs as it is written. */
export function withWindows(journal: OpenJournal, context: CommandContext): OpenJournal {
  const run = runDirectory(context.env);
  return {
    release: () => journal.release(),
    write: async (entry) => {
      // Written down first: the window is for the guest's sake, the journal for the LUN's.
      await journal.write(entry);
      for (const { offer } of entry.luns) await move(run, offer.designator, entry, context);
    },
  };
}

async function move(run: string, lunId: string, entry: JournalEntry, { err }: CommandContext): Promise<void> {
  const { handOver, phase, windowMs } = entry;
  try {
    if (OUTSIDE.includes(phase)) await closeWindow(run, lunId);
    else {
      const until = Date.now() + Math.min(4 * windowMs, LONGEST_WINDOW_MS - 1000);
      await openWindow(run, lunId, { handOver, pid: Deno.pid, until });
    }
  } catch (error) {
    if (!(error instanceof FileError || error instanceof Deno.errors.PermissionDenied)) throw error;
    // Without the run directory there is no snoop that could read it.
    err.line(`note: prmig snoop cannot be told of this hand-over: ${error.message}`);
  }
}
