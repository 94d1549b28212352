/**
 * `prmig recover`, the guests: migrations of `prmig migrate` that were interrupted. They come before the hand-overs: which
 * side the LUNs belong to is decided by where the guest is.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { findClosed, findJournals, type FoundJournal, journalDirectory, openJournal } from "../../migrate/journal.ts";
import { lunLink } from "../../migrate/links.ts";
import { goBack } from "../../migrate/go_back.ts";
import { isTaken } from "../../migrate/picture.ts";
import { TurnBack } from "../../migrate/reasons.ts";
import { resumeRun } from "../../migrate/recover.ts";
import { type Ending, lookAtAll, type Run } from "../../migrate/run.ts";
import { goForward } from "../../migrate/vm/forward.ts";
import { findGuests, guestDirectory, type GuestEntry, openGuest } from "../../migrate/vm/guest_journal.ts";
import { type Found, type RecoverableLuns, recoverGuest } from "../../migrate/vm/recover_guest.ts";
import { QmpError } from "../../qmp/error.ts";
import type { CommandContext } from "../context.ts";
import { withWindows } from "../hand_over/windows.ts";
import { CLOCK, portsOver } from "../hand_over/world.ts";
import { openMonitor } from "../migrate/monitors.ts";
import type { MonitorWay } from "../migrate/ways.ts";
import { openJournalLuns } from "./luns.ts";
import { tellEnding } from "./tell.ts";

/** Every migration in flight on this host; with `handOver`, that one alone. */
export async function interruptedGuests(
  handOver: string | undefined,
  { env, err }: CommandContext,
): Promise<GuestEntry[]> {
  const all = await findGuests(
    guestDirectory(env("PRMIG_STATE_DIR")),
    (path, why) => err.line(`a journal is corrupt and was set aside: ${path}: ${why}`),
  );
  return handOver === undefined ? all : all.filter((entry) => entry.handOver === handOver);
}

/** Brings one guest, and its LUNs, to one side; `fenced` when it is left standing still. Rejects with PrmigError. */
export async function recoverInterruptedGuest(
  entry: GuestEntry,
  timeoutMs: number,
  context: CommandContext,
): Promise<"fenced" | "well"> {
  const journal = await openGuest(guestDirectory(context.env("PRMIG_STATE_DIR")), entry);
  const closing: (() => Promise<void> | void)[] = [() => journal.release()];
  try {
    if (!await journal.isThere()) {
      context.err.line(`${entry.handOver}: another prmig has ended this migration meanwhile`);
      return "well";
    }
    const source = await find(entry.source, "source", timeoutMs, closing);
    const destination = entry.destination && await find(entry.destination, "destination", timeoutMs, closing);
    const luns = await lunsOf(entry, timeoutMs, context, closing);
    const { guest, ending, fenced = false } = await recoverGuest({
      source,
      destination,
      luns: luns?.luns ?? null,
      clock: CLOCK,
      timeoutMs,
      report: ({ phase, text }) =>
        context.err.line(context.json ? JSON.stringify({ progress: { phase, text } }) : `${phase}: ${text}`),
    }, entry);
    await journal.forget();
    if (luns && ending) tellEnding(luns.found, ending, luns.run.legs, context);
    if (context.json) context.out.json({ handOver: entry.handOver, guest });
    else context.out.line(`${entry.handOver}: the guest ${guest}`);
    return fenced ? "fenced" : "well";
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** A QEMU, as far as it can be reached. A socket that refuses is a process that has ended; a command may fail by itself. */
async function find(
  way: MonitorWay,
  what: string,
  timeoutMs: number,
  closing: (() => Promise<void> | void)[],
): Promise<Found> {
  try {
    const monitor = await openMonitor(way, what, timeoutMs);
    closing.push(() => monitor.close());
    return monitor;
  } catch (error) {
    if (!(error instanceof PrmigError && error.cause instanceof QmpError)) throw error;
    return error.cause.failure === "closed" && way.kind === "socket" ? "gone" : "unreachable";
  }
}

interface GuestLuns {
  readonly found: FoundJournal;
  readonly run: Run;
  readonly luns: RecoverableLuns;
}

/** The hand-over of a migration: in flight, or ended; `null` where there was none. */
async function lunsOf(
  { handOver }: GuestEntry,
  timeoutMs: number,
  context: CommandContext,
  closing: (() => Promise<void> | void)[],
): Promise<GuestLuns | null> {
  const directory = journalDirectory(context.env("PRMIG_STATE_DIR"));
  // First the lock: what is read before that may be over.
  const journal = withWindows(await openJournal(directory, handOver, "source"), context);
  closing.push(() => journal.release());
  const inFlight = (await findJournals(directory, () => {})).find(({ entry }) =>
    entry.handOver === handOver && entry.role === "source"
  );
  const found = inFlight ?? await findClosed(directory, handOver, "source");
  if (found === null) return null;
  const open = await openJournalLuns(found.entry, context);
  closing.push(() => open.close());
  const run = resumeRun(found.entry, open.luns, portsOver(context, lunLink(CLOCK), journal), timeoutMs);
  const taken = async (): Promise<boolean> => run.committed && (await lookAtAll(run)).every(isTaken);
  const reason = new TurnBack("failed", "recovering an interrupted migration");
  const luns: RecoverableLuns = {
    taken,
    back: () =>
      found.entry.outcome === undefined || found.entry.outcome === "moved"
        ? goBack(run, reason, { evenIfTaken: true })
        : asItIs(run, found.entry.outcome),
    forward: () => found.entry.outcome === "moved" ? asItIs(run, "moved") : goForward({ ...run, committed: true }),
  };
  return { found, run, luns };
}

async function asItIs(run: Run, outcome: Ending["outcome"]): Promise<Ending> {
  return { outcome, pictures: await lookAtAll(run) };
}
