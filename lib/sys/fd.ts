/**
 * Descriptors: open, close, ioctl, all with the call's own errno.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { SysError } from "./errno.ts";
import { checked, cString } from "./libc.ts";
import { rawCalls } from "./raw_call.ts";
import { Slots } from "./slots.ts";

/** Flags of {@link openFd}, the same on x86-64 and arm64. */
export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;

/**
 * Deno's pool has 32 threads, shared with its own file I/O: if devices hang in all of them, nothing of the program
 * reads a file any more. So this many calls may hang at a time in one isolate, and the rest wait their turn.
 */
export const CALLS_IN_FLIGHT = 24;
const slots = new Slots(CALLS_IN_FLIGHT);

/**
 * Opens a path off the main thread (a device in error recovery may take its time). Always close-on-exec.
 * Throws {@link SysError}.
 */
export async function openFd(path: string, flags: number): Promise<number> {
  const name = cString(path);
  const { nr, symbols } = rawCalls();
  const fd = await slots.run(() => symbols.openat(nr.openat, AT_FDCWD, name, flags | O_CLOEXEC, 0));
  if (fd < 0) throw new SysError("open", path, fd);
  return fd;
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
 * `argument` must be one ordinary buffer that holds everything it points to. `before` runs in the same turn in which
 * the call leaves for the kernel, that is, after the wait for a free slot: what it throws, the ioctl throws, unsent.
 */
export function ioctl(fd: number, request: number, argument: Bytes, before: () => void = () => {}): Promise<number> {
  return slots.run(() => {
    before();
    const { nr, symbols } = rawCalls();
    return symbols.ioctl(nr.ioctl, fd, request, argument);
  });
}

/** Address of a buffer's first byte. It holds as long as the buffer lives; buffers do not move. */
export function addressOf(buffer: ArrayBuffer): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}
