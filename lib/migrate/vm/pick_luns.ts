/**
 * Which of a guest's disks carry a registration of this host, and so have to be handed over.
 *
 * @module
 */
import { prIn } from "../../pr/commands.ts";
import { isUnknownCommand } from "../../pr/read_failure.ts";
import { readCapabilities } from "../../pr/read_state.ts";
import { classify } from "../../scsi/outcome.ts";
import { type Lun, observe } from "../lun.ts";
import { findOwnKey } from "../own_key.ts";
import type { GuestDisk } from "./disks.ts";

/** PRGENERATION and length, without any key. */
const HEADER_BYTES = 8;

/** A disk and its LUN. */
export interface DiskLun {
  readonly disk: GuestDisk;
  readonly lun: Lun;
}

/** The disks that move, and those that have nothing to move. */
export interface Picked {
  readonly moved: readonly DiskLun[];
  readonly skipped: readonly DiskLun[];
}

/** Sorts the disks. Sends no PR OUT unless a target hides who is registered (own_key.ts). Rejects with PrmigError. */
export async function pickLuns(all: readonly DiskLun[]): Promise<Picked> {
  const moved: DiskLun[] = [];
  const skipped: DiskLun[] = [];
  for (const one of all) (await isRegistered(one.lun) ? moved : skipped).push(one);
  return { moved, skipped };
}

/** A skipped disk on which this host has come to be registered since: what to tell, or `null`. */
export async function registeredSince({ skipped }: Picked): Promise<string | null> {
  const now = await Promise.all(skipped.map(({ lun }) => isRegistered(lun)));
  const late = skipped.find((_, i) => now[i]);
  return late === undefined
    ? null
    : `the guest has registered with ${late.lun.device} (${late.disk.qdev}) since the migration began`;
}

async function isRegistered(lun: Lun): Promise<boolean> {
  const { nexus } = lun.paths[0]!;
  // A disk that knows no reservations has none to move; one that cannot be read must not be left out.
  if (isUnknownCommand(classify(await prIn(nexus, "readKeys", HEADER_BYTES)))) return false;
  const state = await observe(lun);
  if (state.registrations.length === 0) return false;
  const capabilities = await readCapabilities(nexus);
  return await findOwnKey(lun, state, capabilities?.ptplActive ?? false) !== null;
}
