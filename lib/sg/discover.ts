/**
 * From what a person names to the paths behind it: one node is one path, a multipath map has several.
 * Reads sysfs alone.
 *
 * @module
 */
import { entries, type Host, readAttribute, realPath, THIS_HOST } from "./host.ts";
import { describeBlock, describeHctl, lookUp, type MappedVolume, type NodeInfo } from "./node.ts";
import { refusal } from "./refusal.ts";

/** Peripheral device types that are disks: block, optical memory, simplified block, zoned block. */
const DISK_TYPES: readonly number[] = [0x00, 0x07, 0x0e, 0x14];

/** An address and the paths it stands for. */
export interface ResolvedAddress {
  /** As it was given. */
  readonly address: string;
  /** At least one; those of a map in the order of their H:C:T:L. */
  readonly paths: readonly NodeInfo[];
  /** Name of the multipath map, when the address names one. */
  readonly multipath: string | null;
}

/**
 * Finds the paths behind an address: a SCSI node itself, or every path of a multipath map.
 *
 * Throws PrmigError `device` for anything else, other device-mapper volumes (LVM, dm-crypt) among them.
 */
export function resolveAddress(address: string, host: Host = THIS_HOST): ResolvedAddress {
  const found = lookUp(address, host);
  if (found.kind !== "mapped") return { address, paths: [found], multipath: null };
  if (!found.uuid.startsWith("mpath-")) throw notMultipath(found, host);
  const paths = found.slaves.map((name) => {
    const path = describeBlock(name, host);
    if (path) return path;
    throw refusal(address, `path ${name} of multipath map ${found.name} is no SCSI device`, "name a LUN of SCSI paths");
  });
  if (paths.length === 0) {
    throw refusal(
      address,
      `multipath map ${found.name} has no paths at present`,
      `look at it: multipath -ll ${found.name}`,
    );
  }
  return { address, paths: paths.sort(byAddress), multipath: found.name };
}

/** Every SCSI disk of this host, one entry a path, in the order of H:C:T:L. Disks without any node are left out. */
export function listDisks(host: Host = THIS_HOST): NodeInfo[] {
  return entries(`${host.sys}/class/scsi_device`)
    .map((hctl) => describeHctl(hctl, host))
    .filter((node) => node !== null)
    .filter((node) => node.deviceType !== null && DISK_TYPES.includes(node.deviceType))
    .sort(byAddress);
}

/** Kinds of volumes by the beginning of their uuid. */
const VOLUME_KINDS: readonly (readonly [prefix: RegExp, kind: string])[] = [
  [/^LVM-/, "an LVM logical volume"],
  [/^CRYPT-/, "an encrypted volume"],
  [/^part\d+-/, "a partition of a multipath map"],
];

function notMultipath(volume: MappedVolume, host: Host): Error {
  const kind = VOLUME_KINDS.find(([prefix]) => prefix.test(volume.uuid))?.[1] ?? "a device-mapper volume";
  const below = volume.slaves.map((name) => wholeDevice(name, host));
  const reason = `it is ${kind} (${volume.name}), and reservations belong to whole LUNs`;
  const remedy = below.length === 1 ? `name the LUN below it: ${below[0]}` : "name the LUN below it: lsblk -s shows it";
  return refusal(volume.address, reason, remedy);
}

/** The node a person would name instead of a kernel name: a partition's disk, a volume's /dev/mapper name. */
function wholeDevice(name: string, host: Host): string {
  const directory = `${host.sys}/class/block/${name}`;
  const mapped = readAttribute(`${directory}/dm/name`);
  if (mapped !== null) return `/dev/mapper/${mapped}`;
  const whole = readAttribute(`${directory}/partition`) === null ? name : realPath(directory)?.split("/").at(-2);
  return `/dev/${whole ?? name}`;
}

function byAddress(a: NodeInfo, b: NodeInfo): number {
  const [left, right] = [a, b].map((node) => (node.hctl ?? "").split(":").map(Number));
  for (let i = 0; i < 4; i++) {
    const difference = (left![i] ?? -1) - (right![i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
