/**
 * `prmig recover`: every journal in flight on this host, one after the other; one that cannot be recovered does not keep
 * the others from it.
 *
 * @module
 */
import { EXIT, PrmigError } from "../../errors.ts";
import {
  findClosed,
  findJournals,
  type FoundJournal,
  journalDirectory,
  openJournal,
  readAgain,
} from "../../migrate/journal.ts";
import { lunLink } from "../../migrate/links.ts";
import type { JournalEntry, Outcome } from "../../migrate/journal_entry.ts";
import { recover, resumeRun } from "../../migrate/recover.ts";
import type { CommandContext } from "../context.ts";
import { withWindows } from "../hand_over/windows.ts";
import { CLOCK, portsOver } from "../hand_over/world.ts";
import { present } from "../present.ts";
import { interruptedGuests, recoverInterruptedGuest } from "./guests.ts";
import { openJournalLuns } from "./luns.ts";
import { tellEnding } from "./tell.ts";
import type { GuestEntry } from "../../migrate/vm/guest_journal.ts";
import type { GoBackOptions } from "../../migrate/go_back.ts";
import type { Ending, Leg } from "../../migrate/run.ts";

/** How to recover one journal. */
export interface RecoverOneOptions extends GoBackOptions {
  /** Throws where the journal, read under its lock, is none that may be recovered in this way. */
  readonly refuse?: (entry: JournalEntry) => void;
}

/** What the command line asks for. */
export interface RecoverInput {
  readonly handOver: string | undefined;
  readonly list: boolean;
  readonly timeout: number;
}

/** Resolves with the exit code: that of the first journal that could not be recovered, else 0. */
export async function runRecover(input: RecoverInput, context: CommandContext): Promise<number> {
  const guests = await interruptedGuests(input.handOver, context);
  if (input.list) {
    for (const guest of guests) listGuest(guest, context);
    for (const { entry } of await journalsOf(input.handOver, guests.length > 0, context)) listOne(entry, context);
    return EXIT.ok;
  }
  let exitCode: number = EXIT.ok;
  const fail = (error: unknown): void => {
    if (!(error instanceof PrmigError)) throw error;
    const how = { json: context.json, colour: context.err.colour, changesLun: true };
    const { stderr, exitCode: code } = present(error, how);
    context.err.line(stderr);
    exitCode ||= code;
  };
  // Where a guest is decides where its LUNs belong: a hand-over of its own is not recovered beside it.
  const unsettled = new Set<string>();
  for (const guest of guests) {
    try {
      const how = await recoverInterruptedGuest(guest, input.timeout, context);
      if (how === "fenced") exitCode ||= EXIT.refused;
    } catch (error) {
      unsettled.add(guest.handOver);
      fail(error);
    }
  }
  const found = (await journalsOf(input.handOver, guests.length > 0, context))
    .filter(({ entry }) => entry.role === "destination" || !unsettled.has(entry.handOver));
  if (found.length === 0 && guests.length === 0) context.err.line("there is nothing to recover on this host");
  for (const journal of found) {
    try {
      const recovered = await recoverOne(journal, input.timeout, {}, context);
      if (recovered !== null) tellEnding(journal, recovered.ending, recovered.legs, context);
      const outcome = recovered?.ending.outcome ?? await endedMeanwhile(journal, context);
      // A guest that was fenced stays fenced, and whoever asked must not take that for a success.
      if (outcome === "fenced") exitCode ||= EXIT.refused;
    } catch (error) {
      fail(error);
    }
  }
  return exitCode;
}

/** Journals in flight, or the one that was named. */
async function journalsOf(
  handOver: string | undefined,
  guestFound: boolean,
  { env, err }: CommandContext,
): Promise<FoundJournal[]> {
  const directory = journalDirectory(env("PRMIG_STATE_DIR"));
  const all = await findJournals(
    directory,
    (path, why) => err.line(`a journal is corrupt and was set aside: ${path}: ${why}`),
  );
  if (handOver === undefined) return all;
  const chosen = all.filter(({ entry }) => entry.handOver === handOver);
  if (chosen.length > 0 || guestFound) return chosen;
  throw new PrmigError("usage", {
    message: `There is no hand-over ${handOver} in flight on this host`,
    lun: "not touched",
    remedy: "prmig recover --list",
  });
}

/** How a hand-over ended that another prmig has recovered since we found it; told to people. */
async function endedMeanwhile(
  { entry: { handOver, role } }: FoundJournal,
  { env, err }: CommandContext,
): Promise<Outcome | undefined> {
  const closed = await findClosed(journalDirectory(env("PRMIG_STATE_DIR")), handOver, role);
  const outcome = closed?.entry.outcome;
  err.line(`${handOver} (${role}): another prmig has ended it meanwhile${outcome ? `: ${outcome}` : ""}`);
  return outcome;
}

/**
 * Recovers one journal, with its LUNs opened anew: as it is once this process alone has it, whatever it was when it was
 * found. `null` when it is not there any more.
 */
export async function recoverOne(
  found: FoundJournal,
  timeoutMs: number,
  options: RecoverOneOptions,
  context: CommandContext,
): Promise<{ ending: Ending; legs: readonly Leg[] } | null> {
  const { path, entry: { handOver, role } } = found;
  const directory = path.slice(0, path.lastIndexOf("/"));
  const journal = withWindows(await openJournal(directory, handOver, role), context);
  try {
    const now = await readAgain(found);
    if (now === null) return null;
    const { entry, quietMs } = now;
    options.refuse?.(entry);
    const open = await openJournalLuns(entry, context);
    try {
      const run = resumeRun(entry, open.luns, portsOver(context, lunLink(CLOCK), journal), timeoutMs);
      const ending = await recover(run, { ...options, timeoutMs, endedMsAgo: quietMs });
      return { ending, legs: run.legs };
    } finally {
      open.close();
    }
  } finally {
    journal.release();
  }
}

function listGuest({ handOver, gate, source }: GuestEntry, { out, json }: CommandContext): void {
  if (json) return out.json({ handOver, guest: { gate, qmp: source.address } });
  out.line(`${handOver} (guest): a migration through the gate ${gate}, from ${source.address}`);
}

function listOne(entry: FoundJournal["entry"], { out, json }: CommandContext): void {
  const { handOver, role, phase, luns } = entry;
  const devices = luns.map(({ device, offer }) => ({ device, designator: offer.designator }));
  if (json) return out.json({ handOver, role, phase, luns: devices });
  out.line(`${handOver} (${role}): stopped while ${phase}`);
  for (const { device, designator } of devices) out.line(`  ${device} ${designator}`);
}
