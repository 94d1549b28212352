/**
 * Small files and links that may not be there, as in sysfs: read at once, and absence is no exception.
 *
 * Looking at one SCSI node is some twenty of these. The runtime's own functions make five system calls for a file of a few
 * bytes, a dozen for where a link leads, and an exception for each that is not there: three times the price and more
 * (decision 0041).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { cString } from "./libc.ts";

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
} as const;

const O_RDONLY_NONBLOCK_CLOEXEC = 0o2004000;
/** What an attribute of sysfs has at the most, a page of 64 KiB; a path has 4 KiB. */
const room: Bytes = new Uint8Array(65536);
const utf8 = new TextDecoder();

let library: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const calls = (): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] =>
  library ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;

/** What one read gives of a file, which is all of an attribute; null when that fails, for whatever reason. */
export function smallFile(path: string): string | null {
  const { open, read, close } = calls();
  const fd = open(cString(path), O_RDONLY_NONBLOCK_CLOEXEC);
  if (fd < 0) return null;
  const size = read(fd, room, BigInt(room.length));
  close(fd);
  return size < 0 ? null : utf8.decode(room.subarray(0, size));
}

/** Where a link leads, as it is written in it; null when there is none. */
export function linkTarget(path: string): string | null {
  const size = calls().readlink(cString(path), room, BigInt(room.length));
  return size < 0 ? null : utf8.decode(room.subarray(0, size));
}
