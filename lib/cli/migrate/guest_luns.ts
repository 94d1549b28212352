/**
 * The LUNs behind a guest's disks: opened through the host's devices that QEMU names.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { Lun } from "../../migrate/lun.ts";
import type { GuestDisk } from "../../migrate/vm/disks.ts";
import { readIdentity } from "../../pr/read_identity.ts";
import { DISK_TYPES, type OpenLuns } from "../hand_over/luns.ts";
import { openDevice, traceOf } from "../open.ts";

/** `--disk ID=DEV` by the ids. Throws PrmigError `usage`. */
export function diskNames(words: readonly string[]): Map<string, string> {
  return new Map(words.map((word) => {
    const [, id, device] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    if (id !== undefined && device !== undefined) return [id, device];
    throw new PrmigError("usage", {
      message: `--disk "${word}" does not name a disk and its device`,
      lun: "not touched",
      remedy: "--disk ID=/dev/sdX, with the id of QEMU's -device",
    });
  }));
}

/** Opens the LUN behind a disk; `null` for what is no disk. Rejects with PrmigError. */
export async function openGuestLun(
  disk: GuestDisk,
  named: ReadonlyMap<string, string>,
  open: OpenLuns,
): Promise<Lun | null> {
  const device = named.get(disk.qdev) ?? disk.device;
  if (device === null) {
    throw new PrmigError("usage", {
      message: `QEMU does not say which device of this host is behind its disk ${disk.qdev}`,
      lun: "not touched",
      remedy: `--disk ${disk.qdev}=/dev/sdX`,
    });
  }
  return await isDisk(device, open) ? await open.open(device) : null;
}

/** A CD drive can be passed through like a disk, and has no reservation to move. */
async function isDisk(address: string, { context }: OpenLuns): Promise<boolean> {
  const device = await openDevice(address, { writable: false, trace: traceOf(context) });
  try {
    return DISK_TYPES.includes((await readIdentity(device.paths[0]!, { retry: false })).deviceType);
  } finally {
    device.close();
  }
}
