/**
 * The real world for one side of a hand-over: this machine's clock, its journals, progress on stderr.
 *
 * @module
 */
import type { Clock, Link, Ports, Progress } from "../../migrate/ports.ts";
import { journalDirectory, type OpenJournal, openJournal } from "../../migrate/journal.ts";
import type { JournalEntry } from "../../migrate/journal_entry.ts";
import { cryptoRandom } from "../../migrate/tokens.ts";
import type { CommandContext } from "../context.ts";
import { withWindows } from "./windows.ts";

/** This machine's monotonic clock. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, wake) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake?.finally(() => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

/** Ports of one side, and the journal to give back at the end. */
export async function openPorts(
  context: CommandContext,
  link: Link,
  handOver: string,
  role: JournalEntry["role"],
): Promise<{ ports: Ports; journal: OpenJournal }> {
  const opened = await openJournal(journalDirectory(context.env("PRMIG_STATE_DIR")), handOver, role);
  const journal = withWindows(opened, context);
  return { journal, ports: portsOver(context, link, journal) };
}

/** Ports over a journal that is open already. */
export function portsOver(context: CommandContext, link: Link, journal: OpenJournal): Ports {
  return {
    link,
    journal,
    clock: CLOCK,
    random: cryptoRandom,
    report: unlessSaid((progress) =>
      context.err.line(context.json ? JSON.stringify({ progress }) : progressText(progress))
    ),
    interrupted: () => context.signal.aborted,
  };
}

/** What is tried again for minutes is said once: a line that is the last one of its phase and device is not repeated. */
export function unlessSaid(say: (progress: Progress) => void): (progress: Progress) => void {
  const said = new Map<string, string>();
  return (progress) => {
    const about = JSON.stringify([progress.phase, progress.device]);
    if (said.get(about) === progress.text) return;
    said.set(about, progress.text);
    say(progress);
  };
}

function progressText({ phase, text, device }: Progress): string {
  return `${phase}: ${device === undefined ? "" : `${device}: `}${text}`;
}
