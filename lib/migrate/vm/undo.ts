/**
 * A migration undone, in the one order that never leaves a running guest without its LUNs (docs/migrate.md):
 *
 *   1  a LUN that was taken comes back: the source may resume by itself at any moment
 *   2  the migration is cancelled
 *   3  what was only prepared is called off
 *   4  a destination that has the guest, and stands still, is ended
 *   5  the guest resumes
 *
 * @module
 */
import type { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import type { TurnBack } from "../reasons.ts";
import type { Crossing } from "./crossing.ts";
import { notMigrated } from "./failure.ts";
import { bringGuestBack } from "./guest_back.ts";
import { ENDED } from "./migration_watch.ts";

/** Undoes and gives the report; `null` when the guest turns out to run at the destination already. */
export async function undo(crossing: Crossing, reason: TurnBack): Promise<PrmigError | null> {
  const { luns, plan, world } = crossing;
  world.report({ phase: "abort", text: reason.message });
  let report = crossing.taken
    ? await luns.giveBack(reason)
    : crossing.attempted
    ? await luns.callOff(reason)
    : undefined;
  if (report?.kind === "unsure") {
    // Resumed now, the guest might meet a LUN that refuses it. Standing still, it waits for `recover`.
    return notMigrated(reason, report, { asBefore: false, words: "stands still", remedy: report.facts.remedy });
  }
  const ended = await cancel(crossing);
  if (plan.gate === "completed" && ended === "completed" && report === undefined) return null;
  if (report === undefined) report = await luns.callOff(reason);
  if (ended === "completed") await endDestination(crossing);
  return notMigrated(reason, report, await bringGuestBack(world.source, plan.wasRunning, world.clock, plan.timeoutMs));
}

/** Calls the migration off where it has not ended, and gives how it ended; `null` where nobody knows. */
async function cancel(crossing: Crossing): Promise<string | null> {
  if (!crossing.begun) return "never begun";
  if (ENDED.includes(crossing.watch.status)) return crossing.watch.status;
  try {
    const watch = await crossing.watchAnew();
    await crossing.world.source.qemu.migrateCancel();
    return await watch.reach(ENDED, { timeoutMs: crossing.plan.timeoutMs });
  } catch (error) {
    if (error instanceof QmpError) return null;
    throw error;
  }
}

/** A destination that has the whole guest and stands still must never run beside the source. */
async function endDestination({ world: { destination } }: Crossing): Promise<void> {
  try {
    await destination?.ask((qemu) => qemu.quit());
  } catch (error) {
    if (!(error instanceof QmpError)) throw error; // it is gone, which is what was wanted
  }
}
