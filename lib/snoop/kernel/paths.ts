/**
 * The paths to a LUN as the kernel's events name them: H:C:I:L, and the device numbers of every node on them.
 * Reads sysfs alone.
 *
 * @module
 */
import { entries, type Host, readAttribute, THIS_HOST } from "../../sg/host.ts";
import { kernelDevice } from "./probes.ts";

/** One path of a watched LUN. */
export interface KernelPath {
  /** `host:channel:id:lun`. */
  readonly hctl: string;
  /** What to call it in events: the address that was asked for, or the node of a further path. */
  readonly device: string;
  /** Designator of the LUN, where sysfs has it. */
  readonly lun: string | null;
  /** `/dev/sdb` and `/dev/sg3`, where they exist. */
  readonly block: string | null;
  readonly sg: string | null;
  /** `major:minor` of the node called {@link device}, where it is known. */
  readonly devno: string | null;
}

/** Kernel device numbers of all nodes of a path: disk, partitions, generic, bsg. */
export function deviceNumbers(hctl: string, host: Host = THIS_HOST): number[] {
  const device = `${host.sys}/class/scsi_device/${hctl}/device`;
  const directories: string[] = [];
  for (const kind of ["block", "scsi_generic", "bsg"]) {
    for (const name of entries(`${device}/${kind}`)) {
      const node = `${device}/${kind}/${name}`;
      directories.push(node);
      if (kind === "block") directories.push(...partitionsOf(node, name));
    }
  }
  return directories.flatMap((directory) => {
    const number = /^(\d+):(\d+)$/.exec(readAttribute(`${directory}/dev`) ?? "");
    return number ? [kernelDevice(Number(number[1]), Number(number[2]))] : [];
  });
}

function partitionsOf(disk: string, name: string): string[] {
  return entries(disk).filter((entry) => entry.startsWith(name)).map((entry) => `${disk}/${entry}`);
}

/** Every other path of this host to the same LUN, by the designator the kernel has read. */
export function siblingAddresses(hctl: string, host: Host = THIS_HOST): string[] {
  const designator = wwidOf(hctl, host);
  if (designator === null) return [];
  return entries(`${host.sys}/class/scsi_device`).filter((other) =>
    other !== hctl && wwidOf(other, host) === designator
  );
}

/** The LUN's designator as the kernel has it (`naa.6001405...`); `null` when it has none that is usable. */
export function wwidOf(hctl: string, host: Host = THIS_HOST): string | null {
  return readAttribute(`${host.sys}/class/scsi_device/${hctl}/device/wwid`) || null;
}
