/**
 * A migration undone, in the one order that never leaves a running guest without its LUNs (docs/migrate.md):
 *
 *   1  a LUN that was taken comes back: the source may resume by itself at any moment
 *   2  the migration is cancelled
 *   3  what was only prepared is called off
 *   4  a destination that has the guest, and stands still, is ended
 *   5  the guest resumes
 *
 * A guest that waits for prmig is resumed, by itself or by the cancelling, only where its LUNs are back by their own word:
 * one that was fenced meanwhile, or whose LUN stayed at the destination, is left standing still.
 *
 * @module
 */
import type { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import type { TurnBack } from "../reasons.ts";
import type { Crossing } from "./crossing.ts";
import { notMigrated } from "./failure.ts";
import { bringGuestBack, leaveGuest } from "./guest_back.ts";
import type { Whereabouts } from "./lun_move.ts";
import { ENDED } from "./migration_watch.ts";

/** Undoes and gives the report; `null` when the guest turns out to run at the destination already. */
export async function undo(crossing: Crossing, reason: TurnBack): Promise<PrmigError | null> {
  const { luns, plan, world } = crossing;
  world.report({ phase: "abort", text: reason.message });
  if (crossing.attempted || crossing.holding) {
    const report = crossing.taken ? await luns.giveBack(reason) : await luns.callOff(reason);
    const where = await luns.whereabouts();
    if (report?.kind === "unsure" || where !== "back") return await leave(crossing, reason, report, where);
    const ended = await cancel(crossing);
    return await backAtSource(crossing, reason, report, ended);
  }
  const ended = await cancel(crossing);
  if (plan.gate === "completed" && ended === "completed") return null;
  const report = await luns.callOff(reason);
  const where = await luns.whereabouts();
  if (where !== "back") return await leave(crossing, reason, report, where);
  return await backAtSource(crossing, reason, report, ended);
}

async function backAtSource(
  crossing: Crossing,
  reason: TurnBack,
  report: PrmigError | null,
  ended: string | null,
): Promise<PrmigError> {
  const { plan, world } = crossing;
  if (ended === "completed") await endDestination(crossing);
  const guest = await bringGuestBack(world.source, plan.wasRunning, world.clock, plan.timeoutMs);
  return notMigrated(reason, report, "back", guest);
}

/** Resumed now, the guest would meet a LUN that refuses it, or run beside whoever fenced it. It stays as it is. */
async function leave(
  { plan, world }: Crossing,
  reason: TurnBack,
  report: PrmigError | null,
  where: Whereabouts,
): Promise<PrmigError> {
  return notMigrated(reason, report, where, await leaveGuest(world.source, plan.wasRunning));
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
