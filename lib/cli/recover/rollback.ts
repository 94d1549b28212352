/**
 * `prmig rollback`: a closed hand-over taken back by its source, the other host being dead; or one in flight of which only
 * a person can say that the guest was not fenced, or that it never ran on the other host.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { findClosed, findJournals, type FoundJournal, journalDirectory } from "../../migrate/journal.ts";
import type { JournalEntry } from "../../migrate/journal_entry.ts";
import { guestDirectory, type GuestEntry, openGuest } from "../../migrate/vm/guest_journal.ts";
import type { CommandContext } from "../context.ts";
import { interruptedGuests } from "./guests.ts";
import { recoverOne } from "./run.ts";
import { tellEnding } from "./tell.ts";

/** What the command line asks for. */
export interface RollbackInput {
  readonly handOver: string;
  readonly evictShared: boolean;
  readonly timeout: number;
}

/** Takes back. Errors: PrmigError, as recover has them. */
export async function runRollback(
  { handOver, evictShared, timeout }: RollbackInput,
  context: CommandContext,
): Promise<void> {
  const directory = journalDirectory(context.env("PRMIG_STATE_DIR"));
  const [guest] = await interruptedGuests(handOver, context);
  const undecided = await findUndecided(directory, handOver, guest !== undefined, context);
  const journal = undecided ?? await findClosed(directory, handOver, "source");
  if (journal === null) throw unknown(handOver);
  const refuse = (entry: JournalEntry): void => {
    if (undecided ? isUndecided(entry, guest !== undefined) : entry.outcome === "moved") return;
    throw undecided ? changed(handOver) : notMoved(handOver, entry.outcome ?? "unknown");
  };
  refuse(journal.entry);
  const recovered = await recoverOne(
    journal,
    timeout,
    { evenIfTaken: true, unfenced: true, evictShared, refuse },
    context,
  );
  if (recovered === null) throw changed(handOver);
  const { ending, legs } = recovered;
  if (ending.outcome === "restored") {
    if (guest !== undefined) await forgetGuest(guest, context);
    return tellEnding(journal, ending, legs, context);
  }
  throw new PrmigError("refused", {
    message: `Cannot take ${handOver} back: a third party has removed the guest's key meanwhile`,
    device: legs.map(({ lun }) => lun.device).join(", "),
    lun: "the guest stays fenced",
    remedy: `prmig dump ${legs[0]?.lun.device ?? "DEV"}`,
  });
}

/**
 * A hand-over that `recover` could not end, because a person has to say that nobody fenced the guest meanwhile, or that the
 * guest of a migration, whose destination has died, never ran there.
 */
async function findUndecided(
  directory: string,
  handOver: string,
  ofGuest: boolean,
  { err }: CommandContext,
): Promise<FoundJournal | null> {
  const inFlight = await findJournals(directory, (path, why) => err.line(`a journal is corrupt: ${path}: ${why}`));
  return inFlight.find(({ entry }) =>
    entry.handOver === handOver && entry.role === "source" && isUndecided(entry, ofGuest)
  ) ?? null;
}

function isUndecided({ phase }: JournalEntry, ofGuest: boolean): boolean {
  return phase !== "closed" && (ofGuest || phase === "evicting");
}

/** Its LUNs are back: whoever took them back knows where the guest is, and lets it run. */
async function forgetGuest(guest: GuestEntry, { env, err }: CommandContext): Promise<void> {
  const journal = await openGuest(guestDirectory(env("PRMIG_STATE_DIR")), guest);
  await journal.forget();
  journal.release();
  err.line(`its LUNs are back; the guest waits for cont on the source QEMU (${guest.source.address})`);
}

function unknown(handOver: string): PrmigError {
  return new PrmigError("usage", {
    message: `This host has no finished hand-over ${handOver} of which it was the source`,
    lun: "not touched",
    remedy: "prmig recover --list shows those in flight; rollback is for the source of a finished one",
  });
}

function changed(handOver: string): PrmigError {
  return new PrmigError("refused", {
    message: `Another prmig has gone on with hand-over ${handOver} meanwhile`,
    lun: "not touched by this prmig",
    remedy: "prmig recover --list shows those in flight, prmig dump who holds now",
  });
}

function notMoved(handOver: string, outcome: string): PrmigError {
  return new PrmigError("refused", {
    message: `There is nothing to take back: hand-over ${handOver} ended "${outcome}"`,
    lun: "not touched",
    remedy: "prmig dump shows who holds now",
  });
}
