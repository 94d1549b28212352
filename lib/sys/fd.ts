/**
 * Descriptors: open, close, ioctl, all with the call's own errno.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { systemCall } from "./calls.ts";
import { SysError } from "./errno.ts";
import { checked, cString } from "./libc.ts";
import { thisArch } from "./thread_code.ts";

export { addressOf } from "./libc.ts";

/** Flags of {@link openFd}, the same on x86-64 and arm64. */
export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;

/**
 * Opens a path off the main thread (a device in error recovery may take its time). Always close-on-exec.
 * Throws {@link SysError}.
 */
export async function openFd(path: string, flags: number): Promise<number> {
  const name = cString(path);
  return await systemCall(name.length, (memory) => {
    memory.bytes.set(name);
    memory.call(thisArch().nr.openat, AT_FDCWD, memory.address, flags | O_CLOEXEC);
  }, (fd) => {
    if (fd < 0) throw new SysError("open", path, fd);
    return fd;
  });
}

/** Closes a descriptor. Throws {@link SysError} EBADF for one that is not open. */
export function closeFd(fd: number): void {
  checked("close", `descriptor ${fd}`, (c) => c.close(fd));
}

/**
 * Ends stdout: its reader sees the end while this process goes on. The runtime keeps a duplicate of the descriptor which
 * it cannot be asked to close, so every descriptor that leads to the same place is made to lead to /dev/null; the numbers
 * stay taken, so that the next file opened is not taken for stdout. Throws {@link SysError}.
 *
 * Where stderr leads to the same place nothing is done: the place cannot end while stderr is in use.
 */
export async function endStdout(): Promise<void> {
  const leadsTo = (fd: string | number): string => Deno.readLinkSync(`/proc/self/fd/${fd}`);
  const place = leadsTo(1);
  if (leadsTo(2) === place) return;
  const nothing = await openFd("/dev/null", O_RDWR);
  try {
    for (const { name } of [...Deno.readDirSync("/proc/self/fd")]) {
      if (!isOpen(name) || leadsTo(name) !== place) continue;
      checked("dup2", `descriptor ${name}`, (c) => c.dup2(nothing, Number(name)));
    }
  } finally {
    closeFd(nothing);
  }
}

/** False for the descriptor that was reading the directory. */
function isOpen(name: string): boolean {
  try {
    return Deno.lstatSync(`/proc/self/fd/${name}`).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * ioctl off the main thread. Resolves with its result, or with `-errno`; a refusal by the kernel is no rejection.
 *
 * The kernel sees a copy of `argument`, which is copied back when the call is over: it must not point into itself.
 */
export function ioctl(fd: number, request: number, argument: Bytes): Promise<number> {
  return systemCall(argument.length, (memory) => {
    memory.bytes.set(argument);
    memory.call(thisArch().nr.ioctl, fd, request, memory.address);
  }, (result, { bytes }) => {
    argument.set(bytes.subarray(0, argument.length));
    return result;
  });
}
