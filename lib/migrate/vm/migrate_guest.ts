/**
 * The whole of `prmig migrate`: find the guest's disks, choose the gate, prepare the LUNs, move the guest, and give back
 * whatever was borrowed.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import type { Qemu } from "../../qmp/qemu.ts";
import type { PrType } from "../../pr/types.ts";
import type { Lun } from "../lun.ts";
import type { Random32 } from "../tokens.ts";
import { borrowCapabilities, neededOnDestination, neededOnSource } from "./capabilities.ts";
import { findGuestDisks, type GuestDisk } from "./disks.ts";
import { chooseGate, type GateChoice, type VmGate } from "./gates.ts";
import { moveGuest } from "./guest_move.ts";
import { type LunMove, NOTHING_TO_MOVE } from "./lun_move.ts";
import { whoMoves } from "./migrate_pr.ts";
import { type Picked, pickLuns, registeredSince } from "./pick_luns.ts";
import type { GuestMoved, GuestWorld } from "./world.ts";
import { noteBefore, verifyMoved } from "./watch_qemu.ts";
import { makeOffer } from "../make_offer.ts";

/** What is asked for. */
export interface MigrateRequest {
  /** For the source's `migrate`; found from the destination's monitor when left out. */
  readonly uri?: string;
  readonly gate?: VmGate;
  readonly timeoutMs: number;
}

/** What it needs beside the two QEMUs. */
export interface MigrateWorld extends GuestWorld {
  readonly random: Random32;
  /** The LUN behind a disk, opened; `null` for what is no disk (a CD drive passed through). Rejects with PrmigError. */
  openLun(disk: GuestDisk): Promise<Lun | null>;
  /**
   * Begins the hand-over. `destinationDevices` are the destination QEMU's own host devices, LUN by LUN, where it told.
   */
  handOver(luns: readonly Lun[], destinationDevices: readonly string[] | null, gate: VmGate): Promise<LunMove>;
  /** Runs the code of the switch once on nothing, while the guest still runs. */
  rehearse(): Promise<void>;
  /** Told what was decided, before anything is changed. */
  onPlan(plan: MigrationPlan): void;
  /** Writes down what recovery needs, before the guest is touched. Rejects with PrmigError. */
  writeDown(gate: VmGate, wasRunning: boolean): Promise<void>;
}

/** What was decided. */
export interface MigrationPlan extends GateChoice {
  readonly mover: "prmig" | "qemu";
  readonly moved: readonly GuestDisk[];
  readonly skipped: readonly GuestDisk[];
  readonly uri: string;
}

/** How it ended. */
export interface Migrated extends GuestMoved {
  readonly plan: MigrationPlan;
  /** Where QEMU moved the reservations itself: what the LUNs show. */
  readonly verified: readonly string[];
}

/** States of a guest that can be moved. */
const MOVABLE: readonly string[] = ["running", "paused", "suspended", "prelaunch", "debug"];

/** Migrates. Rejects with PrmigError. */
export async function migrateGuest(world: MigrateWorld, request: MigrateRequest): Promise<Migrated> {
  try {
    return await migrate(world, request);
  } catch (error) {
    if (error instanceof QmpError) throw asFailure(error);
    throw error;
  }
}

async function migrate(world: MigrateWorld, request: MigrateRequest): Promise<Migrated> {
  const source = world.source.qemu;
  const destination = world.destination?.qemu ?? null;
  const wasRunning = await movable(source);
  if (destination) await refuseUnlessWaiting(destination);
  const { disks, picked, mover, destinationDisks } = await survey(world);
  const uri = request.uri ?? await whereItListens(destination);
  const choice = await gateFor(world, picked, mover, request.gate);
  const plan: MigrationPlan = {
    ...choice,
    mover,
    uri,
    moved: picked.moved.map(({ disk }) => disk),
    skipped: disks.filter((disk) => !picked.moved.some((one) => one.disk === disk)),
  };
  world.onPlan(plan);
  const before = mover === "qemu" ? await noteBefore(picked.moved.map(({ lun }) => lun), world.random) : [];
  await world.writeDown(choice.gate, wasRunning);
  const restore = await borrow(world, choice.gate);
  try {
    const luns = mover === "qemu" || picked.moved.length === 0
      ? NOTHING_TO_MOVE
      : await world.handOver(picked.moved.map(({ lun }) => lun), devicesAt(destinationDisks, plan.moved), choice.gate);
    const moved = await moveGuest(world, {
      gate: choice.gate,
      uri,
      wasRunning,
      timeoutMs: request.timeoutMs,
      makeReady: async () => {
        await world.rehearse();
        if (destination) await makeReady(destination, plan);
      },
      recheck: () => mover === "qemu" ? Promise.resolve(null) : registeredSince(picked),
    }, luns);
    return { ...moved, plan, verified: await verifyMoved(before) };
  } finally {
    await restore();
  }
}

/** Whether the guest runs. Throws PrmigError `refused` for one that cannot be moved. */
async function movable(source: Qemu): Promise<boolean> {
  const { status, running } = await source.status();
  if (!MOVABLE.includes(status)) {
    const remedy = status === "io-error"
      ? "mend what its disk met (prmig dump DEV: is it fenced?), let it run, then migrate"
      : "look at the guest (query-status), then migrate";
    throw refused(`the guest is in the state ${status}`, remedy);
  }
  const migration = (await source.migration()).status;
  if (migration !== null && !["completed", "failed", "cancelled"].includes(migration)) {
    throw refused(`another migration of this guest is under way (${migration})`, "wait for it, or migrate_cancel");
  }
  return running;
}

async function refuseUnlessWaiting(destination: Qemu): Promise<void> {
  const { status } = await destination.status();
  if (status === "inmigrate") return;
  throw refused(
    `the destination QEMU (${destination.address}) does not wait for a guest: it is ${status}`,
    "start it with -incoming defer -S, and name its monitor with --dst-qmp",
  );
}

interface Survey {
  readonly disks: readonly GuestDisk[];
  readonly destinationDisks: readonly GuestDisk[] | null;
  readonly picked: Picked;
  readonly mover: MigrationPlan["mover"];
}

async function survey(world: MigrateWorld): Promise<Survey> {
  const disks = await findGuestDisks(world.source.qemu);
  const destinationDisks = world.destination ? await findGuestDisks(world.destination.qemu) : null;
  const mover = whoMoves(disks, destinationDisks);
  const opened = [];
  for (const disk of disks) {
    const lun = await world.openLun(disk);
    if (lun !== null) opened.push({ disk, lun });
  }
  return { disks, destinationDisks, mover, picked: await pickLuns(opened) };
}

/** What is moved decides, so the offers are made once to learn it; the hand-over makes its own. */
async function gateFor(
  world: MigrateWorld,
  { moved }: Picked,
  mover: MigrationPlan["mover"],
  asked: VmGate | undefined,
): Promise<GateChoice> {
  if (mover === "qemu") {
    return { gate: world.destination ? "paused" : "completed", why: "QEMU moves the reservations itself (migrate-pr)" };
  }
  const types: (PrType | 0)[] = [];
  for (const { lun } of moved) types.push((await makeOffer(lun, { random: world.random })).offer.type);
  return chooseGate({ types, destinationReachable: world.destination !== null, ...asked && { asked } });
}

async function whereItListens(destination: Qemu | null): Promise<string> {
  const found = destination ? (await destination.migration()).listensOn.filter(isReachable) : [];
  if (found.length === 1) return found[0]!;
  throw new PrmigError("usage", {
    message: "where the guest's memory is to go is not known: --uri is missing",
    lun: "not touched",
    remedy: "--uri tcp:HOST:PORT, the address the destination QEMU listens on",
  });
}

/** An address to listen on is not always one to connect to. */
function isReachable(uri: string): boolean {
  return !/^tcp:(0\.0\.0\.0|\[::\]):/.test(uri);
}

/** The destination's host device of each disk that moves; `null` where one of them is not known. */
function devicesAt(disks: readonly GuestDisk[] | null, moved: readonly GuestDisk[]): string[] | null {
  const devices = moved.map(({ qdev }) => disks?.find((disk) => disk.qdev === qdev)?.device ?? null);
  return devices.every((device) => device !== null) ? devices : null;
}

/** Sets the capabilities; gives the way to set them back, which never fails: the migration's outcome is what counts. */
async function borrow(world: MigrateWorld, gate: VmGate): Promise<() => Promise<void>> {
  const { source, destination } = world;
  const loans: [typeof source, Map<string, boolean>][] = [];
  loans.push([source, await borrowCapabilities(source.qemu, (known) => neededOnSource(known, gate))]);
  if (destination) loans.push([destination, await borrowCapabilities(destination.qemu, neededOnDestination)]);
  return async () => {
    for (const [monitor, former] of loans) {
      try {
        if (former.size > 0) await monitor.ask((qemu) => qemu.setCapabilities(former));
      } catch (error) {
        if (!(error instanceof QmpError)) throw error;
        // A QEMU that has ended has no capabilities left to restore; any other keeps ours, and is named.
        if (monitor.qemu.client.failure === null) {
          world.report({ phase: "capabilities", text: `not restored: ${error.message}` });
        }
      }
    }
  };
}

/** The destination listens, and at the gate `paused` it does not run before it is told to. */
async function makeReady(destination: Qemu, { gate, uri }: MigrationPlan): Promise<void> {
  if (gate === "paused") await destination.stop();
  if ((await destination.migration()).listensOn.length === 0) await destination.migrateIncoming(uri);
}

function refused(why: string, remedy: string): PrmigError {
  return new PrmigError("refused", { message: `Cannot migrate the guest: ${why}`, lun: "not touched", remedy });
}

/** QEMU's refusal, or loss, before anything was changed. */
function asFailure(error: QmpError): PrmigError {
  return new PrmigError("failed", {
    message: `Cannot migrate the guest: ${error.message}`,
    lun: "as before; the guest was not touched",
    remedy: "look at that QEMU's monitor; only one program at a time can use a QMP socket",
  }, { cause: error });
}
