/**
 * The guest's passed-through SCSI disks, and the host's device behind each.
 *
 * @module
 */
import type { BlockDevice, Qemu } from "../../qmp/qemu.ts";

/** Devices that hand a guest's SCSI commands to a host's device. */
const PASSED_THROUGH: readonly string[] = ["scsi-block", "scsi-generic"];

/** A disk the guest sees as it is. */
export interface GuestDisk {
  /** Id, or QOM path where it has none: the same on both sides of a migration. */
  readonly qdev: string;
  readonly driver: string;
  /** The host's device: `/dev/sdb`. `null` where QEMU was given a descriptor instead of a path. */
  readonly device: string | null;
  /** QEMU's own `migrate-pr` (11.0 and later); undefined where it has none. */
  readonly migratePr: boolean | undefined;
}

/** Asks a QEMU for its passed-through disks. Rejects with QmpError. */
export async function findGuestDisks(qemu: Qemu): Promise<GuestDisk[]> {
  const disks: GuestDisk[] = [];
  for (const block of await qemu.blockDevices()) {
    const driver = await qemu.property(block.path, "type");
    if (typeof driver !== "string" || !PASSED_THROUGH.includes(driver)) continue;
    const migratePr = await qemu.property(block.path, "migrate-pr");
    disks.push({
      qdev: block.qdev,
      driver,
      device: hostDevice(block),
      migratePr: typeof migratePr === "boolean" ? migratePr : undefined,
    });
  }
  return disks;
}

/**
 * The path QEMU opened: as it stands, or inside the `json:` text it uses for nodes with options, at any depth.
 * `null` for what is no path of a device: a descriptor passed in (`/dev/fdset/3`), an empty drive.
 */
export function hostDevice({ file }: Pick<BlockDevice, "file">): string | null {
  const path = file.startsWith("json:") ? fileNameIn(parse(file.slice("json:".length))) : file;
  return path !== null && path.startsWith("/dev/") && !path.startsWith("/dev/fdset/") ? path : null;
}

function fileNameIn(node: unknown): string | null {
  if (typeof node !== "object" || node === null) return null;
  const { filename, file } = node as { filename?: unknown; file?: unknown };
  return typeof filename === "string" ? filename : fileNameIn(file);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not a text this QEMU writes for a device
  }
}
