/**
 * Device-mapper volumes without dmsetup: a table of one line over some disks. Source: linux/dm-ioctl.h.
 *
 *   0 version 3 x u32 | 12 data size | 16 data start | 20 target count | 28 flags | 40 dev u64 | 48 name, 128 | 176 uuid, 129
 *   312 target: start u64, length u64, status, next, type[16] | 352 parameters, NUL-terminated
 *   312 message: sector u64 | 320 text, NUL-terminated
 *
 * @module
 */
import { closeFd, ioctl, O_RDWR, openFd } from "../../lib/sys/fd.ts";
import { present } from "./init/luns.ts";
import { run } from "./run.ts";

const DM_DEV_CREATE = 3, DM_DEV_REMOVE = 4, DM_DEV_SUSPEND = 6, DM_TABLE_LOAD = 9, DM_TARGET_MSG = 14;
const HEADER = 312, TARGET = 40, SIZE = 4096;
const SECTORS = 2048;

export interface Volume {
  readonly name: string;
  /** `mpath-...`, `LVM-...` */
  readonly uuid: string;
  /** `multipath`, `linear` */
  readonly type: string;
  readonly parameters: string;
}

/** Loads what multipath maps need of the kernel. */
export async function loadMultipath(): Promise<void> {
  for (const module of ["dm_multipath", "dm_round_robin"]) {
    const { code, stderr } = await run(["modprobe", module]);
    if (code !== 0) throw new Error(`modprobe ${module}: exit ${code}: ${stderr}`);
  }
}

/** A multipath map over disks such as /dev/sda, used in turn. */
export function multipathVolume(name: string, disks: readonly string[]): Volume {
  const paths = disks.map((disk) => `${numberOf(disk)} 1000`).join(" ");
  const parameters = `0 0 1 1 round-robin 0 ${disks.length} 1 ${paths}`;
  return { name, uuid: `mpath-${name}`, type: "multipath", parameters };
}

/** A multipath map that holds back what it is asked, as long as it may use none of its paths: a LUN that hangs. */
export function queueingVolume(name: string, disks: readonly string[]): Volume {
  const volume = multipathVolume(name, disks);
  return { ...volume, parameters: volume.parameters.replace(/^0 /, "1 queue_if_no_path ") };
}

/** Tells a multipath map that a path of it may be used, or may not be; nothing is sent to the disk. */
export async function usePath(volume: Volume, disk: string, may: boolean): Promise<void> {
  const fd = await openFd("/dev/mapper/control", O_RDWR);
  try {
    const message = `${may ? "reinstate_path" : "fail_path"} ${numberOf(disk)}`;
    await command(fd, DM_TARGET_MSG, volume, { message });
  } finally {
    closeFd(fd);
  }
}

/** What LVM would make of a disk's beginning. */
export function linearVolume(name: string, disk: string): Volume {
  return { name, uuid: `LVM-${name}`, type: "linear", parameters: `${numberOf(disk)} 0` };
}

/** Runs `body` with the volume in /dev/mapper. */
export async function withVolume(volume: Volume, body: (path: string) => Promise<void>): Promise<void> {
  const fd = await openFd("/dev/mapper/control", O_RDWR);
  const path = `/dev/mapper/${volume.name}`;
  try {
    const created = await command(fd, DM_DEV_CREATE, volume, { uuid: true });
    try {
      await command(fd, DM_TABLE_LOAD, volume, { table: true });
      await command(fd, DM_DEV_SUSPEND, volume); // without the flag: resume
      const minor = Number(new DataView(created.buffer).getBigUint64(40, true) & 0xffn);
      Deno.symlinkSync(`../dm-${minor}`, path);
      await body(path);
    } finally {
      await command(fd, DM_DEV_REMOVE, volume);
      if (present(path)) Deno.removeSync(path);
    }
  } finally {
    closeFd(fd);
  }
}

async function command(
  fd: number,
  number: number,
  volume: Volume,
  parts: { readonly uuid?: boolean; readonly table?: boolean; readonly message?: string } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const block = new Uint8Array(SIZE);
  const view = new DataView(block.buffer);
  const text = (at: number, value: string): void => block.set(new TextEncoder().encode(value), at);
  view.setUint32(0, 4, true); // interface version 4.0.0
  view.setUint32(12, SIZE, true);
  view.setUint32(16, HEADER, true);
  text(48, volume.name);
  if (parts.uuid) text(176, volume.uuid);
  if (parts.table) {
    view.setUint32(20, 1, true);
    view.setBigUint64(HEADER + 8, BigInt(SECTORS), true);
    text(HEADER + 24, volume.type);
    text(HEADER + TARGET, volume.parameters);
  }
  if (parts.message !== undefined) text(HEADER + 8, parts.message);
  const result = await ioctl(fd, ((3 << 30) | (HEADER << 16) | (0xfd << 8) | number) >>> 0, block);
  if (result < 0) throw new Error(`device-mapper command ${number} for ${volume.name}: errno ${-result}`);
  return block;
}

function numberOf(disk: string): string {
  return Deno.readTextFileSync(`/sys/class/block/${disk.slice("/dev/".length)}/dev`).trim();
}
