/**
 * A stream that is played to the same host again. Its commit token is good for one hand-over, so nothing could come of it
 * but a registration that comes and goes; the journal of the first time tells before that.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { findClosed, findOpen, type FoundJournal } from "./journal.ts";
import { guardJournal } from "./journal_guard.ts";

const UNCHANGED = "unchanged: nothing was sent to any LUN";

/**
 * Throws PrmigError `refused` when this host has been the destination of this hand-over before and still has the journal: of
 * those that have ended the newest are kept, of those in flight all. Sends nothing.
 */
export async function refuseReplayed(directory: string, handOver: string): Promise<void> {
  const open = await find(findOpen, directory, handOver);
  const known = open ?? await find(findClosed, directory, handOver);
  if (known === null) return;
  const { phase, outcome } = known.entry;
  throw new PrmigError("refused", {
    message: `This stream has been received here before: hand-over ${handOver} ` +
      (open ? `is in flight ("${phase}")` : `has ended ("${outcome ?? "nothing"}")`),
    lun: UNCHANGED,
    remedy: open ? "prmig recover" : "begin anew, with prmig send on the source",
  });
}

/** That there is one is enough to refuse, whether it can be read or not. */
async function find(how: typeof findOpen, directory: string, handOver: string): Promise<FoundJournal | null> {
  try {
    return await guardJournal(directory, UNCHANGED, () => how(directory, handOver, "destination"));
  } catch (error) {
    if (error instanceof PrmigError || !(error instanceof Error)) throw error;
    throw new PrmigError("refused", {
      message: `This host has a journal of hand-over ${handOver} already, which cannot be read: ${error.message}`,
      lun: UNCHANGED,
      remedy: "prmig recover",
    }, { cause: error });
  }
}
