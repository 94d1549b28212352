/**
 * What a descriptor is, asked of the descriptor itself: no path is looked up, none can be swapped underneath.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { SysError } from "./errno.ts";
import { cString, errno } from "./libc.ts";
import { demand, socketCalls } from "./socket_symbols.ts";

/** Facts about a descriptor. */
export interface FdFacts {
  readonly kind: "block" | "character" | "socket" | "other";
  /** Device number of the node behind it, `major:minor`; `null` for anything that is no device. */
  readonly devno: string | null;
  /** Device and inode of the file itself, to recognise it again. */
  readonly file: string;
}

const AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000, STATX_BASIC_STATS = 0x7ff;
const F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, FD_CLOEXEC = 1;
const O_ACCMODE = 3;
const STATX_BYTES = 256;
const KINDS: Readonly<Record<number, FdFacts["kind"]>> = {
  0o060000: "block",
  0o020000: "character",
  0o140000: "socket",
};

/** Facts about an open descriptor. Throws SysError EBADF for one that is not open. */
export function fdFacts(fd: number): FdFacts {
  return facts(statx(fd, "", AT_EMPTY_PATH));
}

/** Facts about a path, links not followed. Throws SysError. */
export function pathFacts(path: string): FdFacts {
  return facts(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW));
}

function statx(directory: number, path: string, flags: number): DataView {
  const block = new Uint8Array(STATX_BYTES);
  const target = path === "" ? `descriptor ${directory}` : path;
  demand("statx", target, (c) => c.statx(directory, cString(path), flags, STATX_BASIC_STATS, block));
  return new DataView(block.buffer);
}

/** Facts of devices that were asked about, by what the kernel says of them: text made once, for there are few of them. */
const devices = new Map<number, Pick<FdFacts, "kind" | "devno">>();
/** More device numbers than any host has disks: beyond that they are forgotten. */
const MOST_DEVICES = 4096;

const NO_PATH = new Uint8Array(1);
const deviceBlock = new Uint8Array(STATX_BYTES);
const deviceView = new DataView(deviceBlock.buffer);

/** What a descriptor is, without its inode: for a server's every request, as it makes no garbage. */
export function deviceFacts(fd: number): Pick<FdFacts, "kind" | "devno"> {
  const result = socketCalls().statx(fd, NO_PATH, AT_EMPTY_PATH, STATX_BASIC_STATS, deviceBlock);
  if (result < 0) throw new SysError("statx", `descriptor ${fd}`, errno());
  return kindOf(deviceView);
}

/** Is something at this path, as far as this user can see? For paths that are asked about again and again: `path` is a cString. */
export function isThere(path: Bytes): boolean {
  return socketCalls().statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, deviceBlock) === 0;
}

function facts(view: DataView): FdFacts {
  const file = `${view.getUint32(136, true)}:${view.getUint32(140, true)}:${view.getBigUint64(32, true)}`;
  return { ...kindOf(view), file };
}

function kindOf(view: DataView): Pick<FdFacts, "kind" | "devno"> {
  const format = view.getUint16(28, true) & 0o170000;
  const kind = KINDS[format] ?? "other";
  if (kind !== "block" && kind !== "character") return { kind, devno: null };
  const [major, minor] = [view.getUint32(128, true), view.getUint32(132, true)];
  // 12 bits of major number, 20 of minor number: what the kernel has.
  const number = (kind === "block" ? 0 : 2 ** 32) + major * 2 ** 20 + minor;
  let known = devices.get(number);
  if (!known) {
    if (devices.size >= MOST_DEVICES) devices.clear();
    devices.set(number, known = { kind, devno: `${major}:${minor}` });
  }
  return known;
}

/** True when the descriptor was opened for reading alone. */
export function isReadOnly(fd: number): boolean {
  return (demand("fcntl", `descriptor ${fd}`, (c) => c.fcntl(fd, F_GETFL, 0)) & O_ACCMODE) === 0;
}

/** Lets a descriptor live on in a program this one turns into by exec, or not. */
export function setInheritable(fd: number, inheritable: boolean): void {
  const flags = demand("fcntl", `descriptor ${fd}`, (c) => c.fcntl(fd, F_GETFD, 0));
  const wanted = inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
  demand("fcntl", `descriptor ${fd}`, (c) => c.fcntl(fd, F_SETFD, wanted));
}
