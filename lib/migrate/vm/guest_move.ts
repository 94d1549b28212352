/**
 * A running guest from one QEMU to another, its reservations with it: through the gate, or back.
 *
 * @module
 */
import type { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import { Crossing } from "./crossing.ts";
import { asReason, movedBut, unknownGuest } from "./failure.ts";
import type { LunMove } from "./lun_move.ts";
import { followGuest, THROUGH_GATE } from "./through_gate.ts";
import { undo } from "./undo.ts";
import type { GuestMoved, GuestPlan, GuestWorld } from "./world.ts";

/**
 * Moves the guest. The destination QEMU waits for it; with its monitor at hand it has been told not to run by itself.
 *
 * Rejects with PrmigError: the guest and its reservations are back on the source (`failed`, `refused`, `interrupted`), or
 * `unsure`, with what is known.
 */
export async function moveGuest(world: GuestWorld, plan: GuestPlan, luns: LunMove): Promise<GuestMoved> {
  await luns.prepared;
  const crossing = new Crossing(world, plan, luns);
  try {
    await plan.makeReady();
    await THROUGH_GATE[plan.gate](crossing);
  } catch (error) {
    if (crossing.gone) throw movedBut(error, crossing.taken);
    const report = await undo(crossing, asReason(error));
    if (report) throw report;
    await arrived(crossing, () => followGuest(crossing));
  } finally {
    crossing.watch.end();
  }
  const handedOver = await arrived(crossing, () => luns.settle());
  if (crossing.sourceGone && !world.destination) throw arrivedOrLost();
  const [downtimeMs, guest] = await Promise.all([downtimeOf(world), whereabouts(world)]);
  return { gate: plan.gate, handedOver, heldMs: crossing.heldMs, downtimeMs, guest };
}

function arrivedOrLost(): PrmigError {
  return unknownGuest(
    "The source QEMU died in the middle of the switch: the guest has arrived, or is lost",
    "the destination holds",
    "look at the destination (query-status); --dst-qmp would have let prmig look",
  );
}

/** Does something for a guest that is at the destination. */
async function arrived<T>(crossing: Crossing, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw movedBut(error, crossing.taken);
  }
}

/** A source that has nothing more to say after the guest has left is no failure. */
async function downtimeOf({ source }: GuestWorld): Promise<number | null> {
  try {
    return (await source.qemu.migration()).downtimeMs;
  } catch (error) {
    if (error instanceof QmpError) return null;
    throw error;
  }
}

async function whereabouts({ destination }: GuestWorld): Promise<string> {
  if (!destination) return "is on the destination";
  try {
    const { status, running } = await destination.ask((qemu) => qemu.status());
    return running ? "runs on the destination" : `stands still on the destination (${status})`;
  } catch (error) {
    if (error instanceof QmpError) return `is on the destination, which cannot be seen: ${error.message}`;
    throw error;
  }
}
