/**
 * A migration whose prmig has ended: the guest, and its reservations with it, to one side. The source QEMU knows whether
 * it has let the guest go; the LUN knows who holds; what prmig itself was about to do does not matter.
 *
 *   source's migration                  the guest                        so
 *   none, under way, pre-switchover     is here                          LUNs back, cancel, let it run
 *   failed, cancelled                   is here, and may run already     LUNs back, let it run
 *   completed, gate paused              stands still on both sides       LUNs taken: let it run there; otherwise as above
 *   completed, any other gate           runs there                       LUNs forward
 *   cannot be told                      -                                nothing is touched
 *
 * Where the LUNs are not back by their own word, a guest that stands still is not resumed: it was fenced.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import type { Clock, Progress } from "../ports.ts";
import type { Ending } from "../run.ts";
import type { GuestEntry } from "./guest_journal.ts";
import { isSourceIntact } from "../picture.ts";
import { bringGuestBack, leaveGuest } from "./guest_back.ts";
import { ENDED, FAILED, MigrationWatch } from "./migration_watch.ts";
import type { Monitor } from "./monitor.ts";

/** A QEMU as recovery finds it. `gone`: surely ended; `unreachable`: nobody knows. */
export type Found = Monitor | "gone" | "unreachable";

/** The LUNs of the migration, as recovery needs them. All reject with PrmigError. */
export interface RecoverableLuns {
  /** The destination holds all of them. */
  taken(): Promise<boolean>;
  /** Everything back to the source, though it was taken. */
  back(): Promise<Ending>;
  /** Everything on to the destination. */
  forward(): Promise<Ending>;
}

/** What recovery works with. */
export interface RecoverWorld {
  readonly source: Found;
  /** `null`: the migration had none. */
  readonly destination: Found | null;
  /** `null` where there was nothing to hand over. */
  readonly luns: RecoverableLuns | null;
  readonly clock: Clock;
  readonly timeoutMs: number;
  report(progress: Progress): void;
}

/** How it ended. */
export interface GuestRecovered {
  /** "runs on the source" */
  readonly guest: string;
  readonly ending: Ending | null;
  /** It is not resumed: a third party has removed its key. */
  readonly fenced?: boolean;
}

/** Recovers. Rejects with PrmigError, `unsure` where a person has to look first. */
export async function recoverGuest(world: RecoverWorld, entry: GuestEntry): Promise<GuestRecovered> {
  const { source, luns } = world;
  const status = await statusOf(source, world);
  world.report({ phase: "recover", text: `the source's migration: ${status ?? "none"}` });
  if (status === "unreachable") throw unknown("the source QEMU does not answer", "let it answer, or end it");
  if (status === "completed") {
    if (entry.gate !== "paused") return { guest: "is on the destination", ending: await luns?.forward() ?? null };
    return await bothStandStill(world, entry);
  }
  if (status === "gone") return await sourceGone(world, entry);
  return await resumeHere(world, entry, status, await luns?.back() ?? null);
}

/** The source's migration, waited for while it is in the middle of the switch. */
async function statusOf(source: Found, { clock, timeoutMs }: RecoverWorld): Promise<string | null> {
  if (typeof source === "string") return source;
  try {
    const { status } = await source.ask((qemu) => qemu.migration());
    if (status !== "device") return status;
    const watch = new MigrationWatch(source.qemu, clock);
    const later = await watch.reach(["completed", ...FAILED], { timeoutMs });
    watch.end();
    return later === "device" ? "unreachable" : later;
  } catch (error) {
    if (error instanceof QmpError) return error.failure === "closed" ? "gone" : "unreachable";
    throw error;
  }
}

/** Gate `paused`, everything sent: the LUN tells how far it got, and the destination whether it was told to run. */
async function bothStandStill(world: RecoverWorld, entry: GuestEntry): Promise<GuestRecovered> {
  const { luns } = world;
  const there = await destinationState(world);
  const taken = await luns?.taken() ?? there === "running";
  if (there === "running") return { guest: "runs on the destination", ending: await luns?.forward() ?? null };
  if (!taken) {
    // It was never told to run, so it does not, wherever it is.
    const ending = await luns?.back() ?? null;
    await endDestination(world);
    return await resumeHere(world, entry, "completed", ending);
  }
  if (there === "gone" || there === "unreachable") {
    throw unknown(
      `the destination holds, and its QEMU is ${
        there === "gone" ? "gone" : "out of reach"
      }: the guest may have run there`,
      `if it never did: prmig rollback ${entry.handOver}, then cont on the source; if it did, it has to be started anew`,
    );
  }
  const ending = await luns?.forward() ?? null;
  return { guest: await runThere(world, entry, there), ending };
}

/** The source QEMU has ended: the guest is at the destination, or nowhere. */
async function sourceGone(world: RecoverWorld, entry: GuestEntry): Promise<GuestRecovered> {
  const { luns } = world;
  const there = await destinationState(world);
  if (there === "running" || there === "paused") {
    const ending = await luns?.forward() ?? null;
    return { guest: await runThere(world, entry, there), ending };
  }
  if (entry.gate === "paused" && there !== "unreachable" || there === "gone" || there === "inmigrate") {
    const ending = await luns?.back() ?? null;
    return { guest: "is lost with the source QEMU: start it anew", ending };
  }
  throw unknown("the source QEMU has ended, and the destination cannot be seen", "look whether the guest runs there");
}

/** The destination's run state; `gone`, `unreachable`. */
async function destinationState({ destination }: RecoverWorld): Promise<string> {
  if (destination === null) return "unreachable";
  if (typeof destination === "string") return destination;
  try {
    return (await destination.ask((qemu) => qemu.status())).status;
  } catch (error) {
    if (error instanceof QmpError) return "unreachable";
    throw error;
  }
}

async function endDestination({ destination }: RecoverWorld): Promise<void> {
  if (destination === null || typeof destination === "string") return;
  try {
    await destination.ask((qemu) => qemu.quit());
  } catch (error) {
    if (!(error instanceof QmpError)) throw error; // it has ended, which is what was wanted
  }
}

async function runThere({ destination }: RecoverWorld, { wasRunning }: GuestEntry, there: string): Promise<string> {
  if (there === "running") return "runs on the destination";
  if (!wasRunning) return `stands still on the destination, as before (${there})`;
  await guarded("let the guest run on the destination", () => (destination as Monitor).ask((qemu) => qemu.cont()));
  return "runs on the destination";
}

/** Its LUNs are back: the migration ends, and the guest runs. Where they are not, it is left as it is. */
async function resumeHere(
  world: RecoverWorld,
  { wasRunning }: GuestEntry,
  status: string | null,
  ending: Ending | null,
): Promise<GuestRecovered> {
  const { clock, timeoutMs } = world;
  const source = world.source as Monitor;
  if (ending !== null && !(ending.outcome === "restored" && ending.pictures.every(isSourceIntact))) {
    const { asBefore, words } = await leaveGuest(source, wasRunning);
    if (ending.outcome === "restored" && asBefore) return { guest: words, ending };
    return { guest: `${words}: it was fenced, or its reservation was taken from it`, ending, fenced: true };
  }
  if (status !== null && !ENDED.includes(status)) {
    await guarded("cancel the migration", async () => {
      await source.ask((qemu) => qemu.migrateCancel());
      const watch = new MigrationWatch(source.qemu, clock);
      await watch.reach(ENDED, { timeoutMs });
      watch.end();
    });
  }
  const guest = await bringGuestBack(source, wasRunning, clock, timeoutMs);
  if (guest.asBefore) return { guest: guest.words, ending };
  throw new PrmigError("unsure", {
    message: `The guest ${guest.words}`,
    lun: "the source holds, as before",
    remedy: guest.remedy ?? "look at the source QEMU",
  });
}

async function guarded(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    throw new PrmigError("unsure", {
      message: `Cannot ${what}: ${error.message}`,
      lun: "settled; the guest is not",
      remedy: "prmig recover once more",
    }, { cause: error });
  }
}

function unknown(why: string, remedy: string): PrmigError {
  return new PrmigError("unsure", {
    message: `Cannot tell where the guest is: ${why}`,
    lun: "left as it is",
    remedy,
  });
}
