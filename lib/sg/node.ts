/**
 * Device nodes: sg <-> sd <-> H:C:T:L, as sysfs has it. Sends nothing and opens nothing.
 *
 *     /sys/dev/char/21:3    -> .../2:0:0:1/scsi_generic/sg3     `device` leads to the SCSI device 2:0:0:1
 *     /sys/dev/block/8:16   -> .../2:0:0:1/block/sdb            likewise; `partition`, `dm/uuid` tell what is no LUN
 *     /sys/class/scsi_device/2:0:0:1/device/{scsi_generic,block}/
 *
 * @module
 */
import { codeOf, entries, type Host, linkName, readAttribute, realPath, THIS_HOST } from "./host.ts";
import { openRefusal, refusal } from "./refusal.ts";

/** Major number of /dev/sgN. */
const SG_MAJOR = 21;
const HCTL = /^\d+:\d+:\d+:\d+$/;

/** One path to one logical unit, as this host names it. What sysfs does not tell is null. */
export interface NodeInfo {
  /** As it was given: `/dev/disk/by-id/...`, `/dev/sdb`. */
  readonly address: string;
  /** The node by the kernel's name, links followed: `/dev/sdb`. */
  readonly node: string;
  /** SCSI generic, or a disk's block node. */
  readonly kind: "sg" | "block";
  /** Device number, the first half. */
  readonly major: number;
  /** Device number, the second half. */
  readonly minor: number;
  /** `/dev/sg3` */
  readonly sg: string | null;
  /** `/dev/sdb` */
  readonly block: string | null;
  /** Host, channel, target, LUN: `2:0:0:1`. */
  readonly hctl: string | null;
  /** Peripheral device type: 0 for disks. */
  readonly deviceType: number | null;
  /** The kernel's view of the path: `running`, `offline`, `blocked` ... */
  readonly state: string | null;
  /** Name of the multipath map this path belongs to. */
  readonly multipath: string | null;
}

/** A device-mapper volume instead of a SCSI node. */
export interface MappedVolume {
  readonly kind: "mapped";
  readonly address: string;
  /** `dm-3` */
  readonly kernelName: string;
  readonly name: string;
  /** `mpath-3600...`, `LVM-...`, `CRYPT-LUKS2-...`; empty when the volume has none. */
  readonly uuid: string;
  /** Kernel names of what it lies on: `sdb`, `dm-0`. */
  readonly slaves: readonly string[];
}

/**
 * What a path names: a SCSI node or a device-mapper volume.
 *
 * Throws PrmigError `device` for whatever is neither: missing, a directory, a file, a partition, another kind of device.
 */
export function lookUp(address: string, host: Host = THIS_HOST): NodeInfo | MappedVolume {
  const file = statNode(address, host);
  if (file.kind === "directory") throw openRefusal(address, "EISDIR", undefined);
  if (file.kind === "file") throw refusal(address, "it is an ordinary file, not a SCSI device (ENOTTY)", LIST);
  if (file.kind === "other") throw refusal(address, "it is neither a block nor a character device (ENOTTY)", LIST);
  if (file.kind === "char") {
    if (file.major === SG_MAJOR) return sgNode(address, file.minor, host);
    const number = `${file.major}:${file.minor}`;
    throw refusal(address, `character device ${number} is no SCSI generic node (those have major 21; ENOTTY)`, LIST);
  }
  return blockNode(address, file.major, file.minor, host);
}

/** As {@link lookUp}, but refuses device-mapper volumes: those are no LUN, and paths.ts knows what is behind them. */
export function describeNode(address: string, host: Host = THIS_HOST): NodeInfo {
  const found = lookUp(address, host);
  if (found.kind !== "mapped") return found;
  const nodes = found.slaves.map((name) => `/dev/${name}`).join(", ");
  throw refusal(
    address,
    `it is the device-mapper volume ${found.name}, not one path to a LUN`,
    `name a path: ${nodes}`,
  );
}

/** The node of a block device known by its kernel's name (`sdb`), or null when that is no SCSI device. */
export function describeBlock(name: string, host: Host = THIS_HOST): NodeInfo | null {
  const directory = `${host.sys}/class/block/${name}`;
  const number = /^(\d+):(\d+)$/.exec(readAttribute(`${directory}/dev`) ?? "");
  const hctl = scsiAddress(directory);
  if (!number || hctl === null) return null;
  const numbers = { major: Number(number[1]), minor: Number(number[2]) };
  const facts = scsiFacts(hctl, host, { block: name });
  return { address: `/dev/${name}`, node: `/dev/${name}`, kind: "block", ...numbers, ...facts };
}

/** The node of a SCSI device known by H:C:T:L: its block node if it has one, else its generic one, else null. */
export function describeHctl(hctl: string, host: Host = THIS_HOST): NodeInfo | null {
  const { block, sg } = scsiFacts(hctl, host);
  if (block !== null) return describeBlock(block.slice("/dev/".length), host);
  if (sg === null) return null;
  return sgNode(sg, Number(sg.slice("/dev/sg".length)), host);
}

const LIST = "list the SCSI disks of this host: prmig dump --all";

function statNode(address: string, host: Host): ReturnType<Host["stat"]> {
  try {
    return host.stat(address);
  } catch (error) {
    throw openRefusal(address, codeOf(error), error);
  }
}

function sgNode(address: string, minor: number, host: Host): NodeInfo {
  const hctl = scsiAddress(`${host.sys}/dev/char/${SG_MAJOR}:${minor}`);
  const node = `/dev/sg${minor}`;
  const facts = hctl === null ? { ...NOTHING_KNOWN, sg: node } : scsiFacts(hctl, host, { sg: `sg${minor}` });
  return { address, node, kind: "sg", major: SG_MAJOR, minor, ...facts };
}

function blockNode(address: string, major: number, minor: number, host: Host): NodeInfo | MappedVolume {
  const link = `${host.sys}/dev/block/${major}:${minor}`;
  const name = linkName(link);
  // Without sysfs (a bare container) the ioctl before the first command has to tell.
  if (name === null) return { address, node: address, kind: "block", major, minor, ...NOTHING_KNOWN };
  const hctl = scsiAddress(link);
  if (hctl !== null) {
    return { address, node: `/dev/${name}`, kind: "block", major, minor, ...scsiFacts(hctl, host, { block: name }) };
  }
  const mapped = readAttribute(`${link}/dm/name`);
  if (mapped !== null) {
    const uuid = readAttribute(`${link}/dm/uuid`) ?? "";
    return { kind: "mapped", address, kernelName: name, name: mapped, uuid, slaves: entries(`${link}/slaves`) };
  }
  if (readAttribute(`${link}/partition`) !== null) {
    const whole = `/dev/${realPath(link)?.split("/").at(-2)}`;
    throw refusal(address, `it is a partition of ${whole}, and reservations belong to whole LUNs`, `name ${whole}`);
  }
  throw refusal(address, `block device ${name} is no SCSI device (ENOTTY)`, LIST);
}

const NOTHING_KNOWN = { sg: null, block: null, hctl: null, deviceType: null, state: null, multipath: null };

/** `known`: a name that need not be looked for. */
function scsiFacts(
  hctl: string,
  host: Host,
  known: { readonly sg?: string; readonly block?: string } = {},
): typeof NOTHING_KNOWN | Omit<NodeInfo, "address" | "node" | "kind" | "major" | "minor"> {
  const device = `${host.sys}/class/scsi_device/${hctl}/device`;
  const block = known.block ?? entries(`${device}/block`)[0];
  const sg = known.sg ?? entries(`${device}/scsi_generic`)[0];
  const type = readAttribute(`${device}/type`);
  return {
    sg: sg === undefined ? null : `/dev/${sg}`,
    block: block === undefined ? null : `/dev/${block}`,
    hctl,
    deviceType: type !== null && /^\d+$/.test(type) ? Number(type) : null,
    state: readAttribute(`${device}/state`),
    multipath: block === undefined ? null : mapHolding(block, host),
  };
}

/** Name of the multipath map that holds a block device. */
function mapHolding(block: string, host: Host): string | null {
  const holders = `${host.sys}/class/block/${block}/holders`;
  const map = entries(holders).find((name) => readAttribute(`${holders}/${name}/dm/uuid`)?.startsWith("mpath-"));
  return map === undefined ? null : readAttribute(`${holders}/${map}/dm/name`);
}

/** H:C:T:L of the SCSI device that a node's sysfs directory belongs to: what its link there is called at its end. */
function scsiAddress(directory: string): string | null {
  const name = linkName(`${directory}/device`);
  return name !== null && HCTL.test(name) ? name : null;
}
