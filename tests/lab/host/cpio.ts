/**
 * An initramfs: an uncompressed cpio archive in the "newc" format. Pure.
 *
 *   header, 110 bytes: "070701" and 13 fields of 8 hex digits | name, NUL, padded to 4 | data, padded to 4
 *
 * @module
 */

export interface CpioEntry {
  /** Without a leading slash. */
  readonly name: string;
  /** Type and permission bits, as in st_mode. */
  readonly mode: number;
  readonly data: Uint8Array;
  /** Device number, for device nodes. */
  readonly device?: { readonly major: number; readonly minor: number };
}

const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;

export function file(name: string, data: Uint8Array | string, permissions = 0o755): CpioEntry {
  return { name, mode: S_IFREG | permissions, data: typeof data === "string" ? new TextEncoder().encode(data) : data };
}

export function directory(name: string): CpioEntry {
  return { name, mode: S_IFDIR | 0o755, data: new Uint8Array() };
}

export function link(name: string, target: string): CpioEntry {
  return { name, mode: S_IFLNK | 0o777, data: new TextEncoder().encode(target) };
}

export function characterDevice(name: string, major: number, minor: number): CpioEntry {
  return { name, mode: S_IFCHR | 0o600, data: new Uint8Array(), device: { major, minor } };
}

/** The archive that holds `entries`, in this order; a directory must come before what is in it. */
export function encodeCpio(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const push = (bytes: Uint8Array): void => {
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    parts.push(padded);
    length += padded.length;
  };
  const trailer: CpioEntry = { name: "TRAILER!!!", mode: 0, data: new Uint8Array() };
  for (const [at, entry] of [...entries, trailer].entries()) {
    const name = new TextEncoder().encode(`${entry.name}\0`);
    const fields = [
      at + 1, // inode: every entry its own, so that nothing is taken for a hard link
      ...[entry.mode, 0, 0, 1, 0, entry.data.length, 0, 0],
      ...[entry.device?.major ?? 0, entry.device?.minor ?? 0, name.length, 0],
    ];
    const header = new TextEncoder().encode("070701" + fields.map((n) => n.toString(16).padStart(8, "0")).join(""));
    const head = new Uint8Array(header.length + name.length);
    head.set(header);
    head.set(name, header.length);
    push(head);
    push(entry.data);
  }
  const archive = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}
