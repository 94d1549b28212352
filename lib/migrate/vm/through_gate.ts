/**
 * The three ways through the switch.
 *
 *   paused      migrate .. completed | take | cont at the destination
 *   completed   migrate .. pre-switchover: last look | migrate-continue .. completed, the destination runs | take
 *   switchover  migrate .. pre-switchover | take | migrate-continue .. completed
 *
 * @module
 */
import { QmpError } from "../../qmp/error.ts";
import type { Crossing } from "./crossing.ts";
import { registrationIsAccess, type VmGate } from "./gates.ts";
import { FAILED } from "./migration_watch.ts";

/** Takes the guest through its gate. */
export const THROUGH_GATE: Readonly<Record<VmGate, (crossing: Crossing) => Promise<void>>> = {
  paused: whilePaused,
  completed: afterCompletion,
  switchover: atSwitchover,
};

/** Both stand still: take, then let the destination run. */
async function whilePaused(crossing: Crossing): Promise<void> {
  await sentWhole(crossing);
  crossing.hold();
  await crossing.lookAgain();
  const [taken, loaded] = await Promise.allSettled([crossing.take(), crossing.destinationLoaded()]);
  if (taken.status === "rejected") throw taken.reason;
  if (loaded.status === "rejected") throw loaded.reason;
  await crossing.runDestination(loaded.value);
}

/** A source that dies when all of the guest has arrived loses nothing: the LUN is moved by this host, not by QEMU. */
async function sentWhole(crossing: Crossing): Promise<void> {
  try {
    await crossing.migrateTo(["completed"]);
  } catch (error) {
    if (!(error instanceof QmpError && error.failure === "closed" && crossing.begun)) throw error;
    const revived = await crossing.watchAnew().catch(() => null); // its failure is the one at hand
    const { status } = await crossing.world.destination!.ask((qemu) => qemu.status());
    if (revived !== null || status === "inmigrate") throw error;
    crossing.world.report({ phase: "migrate", text: "the source QEMU is gone, but the whole guest has arrived" });
  }
}

/** The destination runs by itself; being registered it has access, and it holds a moment later. */
async function afterCompletion(crossing: Crossing): Promise<void> {
  const at = await crossing.migrateTo(["pre-switchover", "completed"]);
  if (at === "pre-switchover") {
    crossing.hold();
    await crossing.lookAgain();
    if (!crossing.luns.types().every(registrationIsAccess)) return await switchOver(crossing);
    await crossing.continueMigration();
  }
  await followGuest(crossing);
}

/** The guest runs at the destination: its reservations follow. */
export async function followGuest(crossing: Crossing): Promise<void> {
  crossing.gone = true;
  crossing.world.report({ phase: "completed", text: "the guest runs on the destination; its reservations follow" });
  await crossing.luns.takeForGood();
  crossing.taken = true;
}

/** The source waits: take, then let it hand the guest over. */
async function atSwitchover(crossing: Crossing): Promise<void> {
  await crossing.migrateTo(["pre-switchover"]);
  crossing.hold();
  await crossing.lookAgain();
  await switchOver(crossing);
}

async function switchOver(crossing: Crossing): Promise<void> {
  await crossing.take();
  if (FAILED.includes(crossing.watch.status)) throw crossing.givenUp();
  // A dead destination, noticed now, is taken back from before the source resumes by itself.
  const { destination } = crossing.world;
  if (destination) await destination.ask((qemu) => qemu.status());
  await crossing.continueMigration();
  crossing.gone = true;
  if (destination) await crossing.runDestination(await crossing.destinationLoaded());
}
