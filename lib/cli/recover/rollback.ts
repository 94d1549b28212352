/**
 * `prmig rollback`: a closed hand-over taken back by its source, the other host being dead.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { findClosed, journalDirectory } from "../../migrate/journal.ts";
import type { CommandContext } from "../context.ts";
import { recoverOne, tellEnding } from "./run.ts";

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
  const journal = await findClosed(directory, handOver, "source");
  if (journal === null) throw unknown(handOver);
  if (journal.entry.outcome !== "moved") throw notMoved(handOver, journal.entry.outcome ?? "unknown");
  const { ending, legs } = await recoverOne(journal, timeout, { evenIfTaken: true, evictShared }, context);
  if (ending.outcome === "restored") return tellEnding(journal, ending, legs, context);
  throw new PrmigError("refused", {
    message: `Cannot take ${handOver} back: a third party has removed the guest's key meanwhile`,
    device: legs.map(({ lun }) => lun.device).join(", "),
    lun: "the guest stays fenced",
    remedy: `prmig dump ${legs[0]?.lun.device ?? "DEV"}`,
  });
}

function unknown(handOver: string): PrmigError {
  return new PrmigError("usage", {
    message: `This host has no finished hand-over ${handOver} of which it was the source`,
    lun: "not touched",
    remedy: "prmig recover --list shows those in flight; rollback is for the source of a finished one",
  });
}

function notMoved(handOver: string, outcome: string): PrmigError {
  return new PrmigError("refused", {
    message: `There is nothing to take back: hand-over ${handOver} ended "${outcome}"`,
    lun: "not touched",
    remedy: "prmig dump shows who holds now",
  });
}
