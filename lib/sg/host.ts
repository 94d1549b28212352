/**
 * What device discovery sees of the host: sysfs, and what kind of file a path is. Tests put a made-up tree in its place.
 *
 * @module
 */

import { linkTarget, smallFile } from "../sys/small_files.ts";

/** A file as far as devices are concerned. */
export interface FileKind {
  /** What it is. */
  readonly kind: "block" | "char" | "directory" | "file" | "other";
  /** Device number, the first half; 0 for what is no device. */
  readonly major: number;
  /** Device number, the second half; likewise. */
  readonly minor: number;
}

/** The host as discovery sees it. */
export interface Host {
  /** Where sysfs is mounted. */
  readonly sys: string;
  /** What a path leads to, symbolic links followed. Throws an error with a `code` such as `ENOENT`. */
  stat(path: string): FileKind;
}

/** This host. */
export const THIS_HOST: Host = { sys: "/sys", stat: statFile };

function statFile(path: string): FileKind {
  const { isBlockDevice, isCharDevice, isDirectory, isFile, rdev } = Deno.statSync(path);
  const kind = isBlockDevice ? "block" : isCharDevice ? "char" : isDirectory ? "directory" : isFile ? "file" : "other";
  return { kind, ...splitDevice(BigInt(rdev ?? 0)) };
}

/** Parts a device number as glibc's major() and minor() do. */
export function splitDevice(device: bigint): { major: number; minor: number } {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return { major: Number(major), minor: Number(minor) };
}

/**
 * The `code` of a failed file operation; rethrows anything else, which is a defect and no state of the host.
 */
export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}

/** An attribute's text without white space around it; null when it is absent, unreadable, or gone with its device. */
export function readAttribute(path: string): string | null {
  return smallFile(path)?.trim() ?? null;
}

/** Names in a directory, sorted; none when it is absent. */
export function entries(path: string): string[] {
  return orNull(() => Array.from(Deno.readDirSync(path), (entry) => entry.name).sort()) ?? [];
}

/** Last part of where a link leads; null when there is none. */
export function linkName(path: string): string | null {
  const target = linkTarget(path);
  return target === null ? null : target.slice(target.lastIndexOf("/") + 1);
}

/** Where a path leads once all links are followed; null when it leads nowhere. */
export function realPath(path: string): string | null {
  return orNull(() => Deno.realPathSync(path));
}

function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    codeOf(error);
    return null;
  }
}
