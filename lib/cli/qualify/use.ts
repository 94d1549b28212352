/**
 * Whether this host uses a LUN already: mounted, swapped to, or below another volume, through any of its paths.
 * Reads sysfs and /proc alone.
 *
 * @module
 */
import { entries, type Host, readAttribute, THIS_HOST } from "../../sg/host.ts";

/** What this host knows of a LUN by one of its nodes. */
export interface Use {
  /** What uses it, each as a clause: "sdb1 is mounted on /srv". */
  readonly users: readonly string[];
  /** Kernel names of its partitions. */
  readonly partitions: readonly string[];
  /** Driver of the host adapter: `iscsi_tcp`, `tcm_loopback`, `qla2xxx`; `null` when it is not known. */
  readonly driver: string | null;
}

/** Tables of the kernel, as text. */
export interface Tables {
  /** /proc/self/mountinfo */
  readonly mounts: string;
  /** /proc/swaps */
  readonly swaps: string;
}

/** Nothing known: a simulated LUN. */
export const UNUSED: Use = { users: [], partitions: [], driver: null };

/** The use of the LUN behind the SCSI device H:C:T:L. */
export function useOf(hctl: string | null, host: Host = THIS_HOST, tables: Tables = readTables()): Use {
  if (hctl === null) return UNUSED;
  const blocks = [...new Set(samePaths(hctl, host).flatMap((path) => blocksOf(path, host)))];
  const found = blocks.map((block) => look(block, host, tables));
  return {
    users: found.flatMap(({ users }) => users),
    partitions: found.flatMap(({ partitions }) => partitions),
    driver: readAttribute(`${host.sys}/class/scsi_host/host${hctl.split(":")[0]}/proc_name`),
  };
}

function readTables(): Tables {
  return { mounts: readAttribute("/proc/self/mountinfo") ?? "", swaps: readAttribute("/proc/swaps") ?? "" };
}

/** Every path of this host to the same LUN, by the name the kernel read from it. */
function samePaths(hctl: string, host: Host): string[] {
  const nameOf = (path: string): string | null => readAttribute(`${host.sys}/class/scsi_device/${path}/device/wwid`);
  const name = nameOf(hctl);
  if (name === null) return [hctl];
  return entries(`${host.sys}/class/scsi_device`).filter((path) => path === hctl || nameOf(path) === name);
}

function blocksOf(hctl: string, host: Host): string[] {
  return entries(`${host.sys}/class/scsi_device/${hctl}/device/block`);
}

type Found = Pick<Use, "users" | "partitions">;

/** A block device, its partitions, and what lies on either. A multipath map is a path to the same LUN, and no user. */
function look(block: string, host: Host, tables: Tables): Found {
  const directory = `${host.sys}/class/block/${block}`;
  const partitions = entries(directory).filter((name) => readAttribute(`${directory}/${name}/partition`) !== null);
  const holders = entries(`${directory}/holders`);
  const maps = holders.filter((name) => readAttribute(`${host.sys}/class/block/${name}/dm/uuid`)?.startsWith("mpath-"));
  const users = [
    ...mountsOf(block, readAttribute(`${directory}/dev`), tables).map((where) => `${block} is mounted on ${where}`),
    ...(swapped(block, tables) ? [`${block} is swap space`] : []),
    ...holders.filter((name) => !maps.includes(name)).map((name) => `${block} is below ${volumeName(name, host)}`),
  ];
  const below = [...partitions, ...maps].map((name) => look(name, host, tables));
  return {
    users: [...users, ...below.flatMap((each) => each.users)],
    partitions: [...partitions, ...below.flatMap((each) => each.partitions)],
  };
}

function volumeName(name: string, host: Host): string {
  const mapped = readAttribute(`${host.sys}/class/block/${name}/dm/name`);
  return mapped === null ? name : `${name} (${mapped})`;
}

/** Mount points, by device number, and by name for file systems with numbers of their own (btrfs). */
function mountsOf(block: string, number: string | null, { mounts }: Tables): string[] {
  return mounts.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const source = fields[fields.indexOf("-") + 2];
    return fields[2] === number || source === `/dev/${block}` ? [fields[4] ?? "?"] : [];
  });
}

function swapped(block: string, { swaps }: Tables): boolean {
  return swaps.split("\n").some((line) => line.split(/\s/)[0] === `/dev/${block}`);
}
