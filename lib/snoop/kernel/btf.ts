/**
 * Where the running kernel keeps a device's number: member offsets out of its own type information (BTF).
 *
 *     header | types: 12 bytes each + what its kind adds | strings
 *
 * Pure but for {@link readDeviceOffsets}. Little-endian, as every machine this runs on. Whatever is wrong with the data
 * gives `null`: without offsets the probes report all devices, and nothing else changes.
 *
 * Source: Linux Documentation/bpf/btf.rst.
 *
 * @module
 */
import type { DeviceOffsets } from "./probes.ts";

const MAGIC = 0xeb9f, HEADER_BYTES = 24, TYPE_BYTES = 12, MEMBER_BYTES = 12;
const STRUCT = 4, UNION = 5;
/** Bytes that follow a type, by kind: fixed, and for each of its `vlen` members. */
const EXTRA: readonly (readonly [fixed: number, each: number])[] = [
  ...[[0, 0], [4, 0], [0, 0], [12, 0], [0, 12], [0, 12], [0, 8], [0, 0], [0, 0], [0, 0]] as const,
  ...[[0, 0], [0, 0], [0, 0], [0, 8], [4, 0], [0, 12], [0, 0], [4, 0], [0, 0], [0, 12]] as const,
];
/** Anonymous structures inside each other; real ones nest two or three deep. */
const DEEPEST = 8;

/** Type information, as far as structures and their members go. */
export class Btf {
  readonly #view: DataView;
  readonly #strings: Uint8Array;
  /** Position of every type, by its id; type 0 is void. */
  readonly #types: Uint32Array;

  private constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#view.getUint16(0, true) !== MAGIC) throw new RangeError("not BTF");
    const u32 = (at: number): number => this.#view.getUint32(at, true);
    const header = u32(4);
    if (header < HEADER_BYTES) throw new RangeError("header cut short");
    const from = header + u32(8), to = from + u32(12);
    const strings = header + u32(16), stringsEnd = strings + u32(20);
    if (to > bytes.length || stringsEnd > bytes.length) throw new RangeError("sections beyond the end");
    this.#strings = bytes.subarray(strings, stringsEnd);
    const types = new Uint32Array(1 + (to - from) / TYPE_BYTES);
    let count = 1;
    for (let at = from; at < to;) {
      types[count++] = at;
      const info = u32(at + 4);
      const extra = EXTRA[(info >>> 24) & 0x1f];
      if (!extra) throw new RangeError("a kind nobody knows");
      at += TYPE_BYTES + extra[0] + extra[1] * (info & 0xffff);
    }
    this.#types = types.subarray(0, count);
  }

  /** `null` for bytes that are no BTF, or none that can be followed. */
  static parse(bytes: Uint8Array): Btf | null {
    try {
      return new Btf(bytes);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  /** Byte offset of a member of a structure, anonymous structures inside it included; `null`: there is none. */
  memberOffset(structure: string, member: string): number | null {
    try {
      for (let id = 1; id < this.#types.length; id++) {
        const at = this.#types[id]!;
        if (this.#kind(at) !== STRUCT || !this.#isNamed(this.#view.getUint32(at, true), structure)) continue;
        const bits = this.#bitOffset(id, member, DEEPEST);
        if (bits !== null) return bits % 8 === 0 ? bits / 8 : null;
      }
      return null;
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  #kind(at: number): number {
    return (this.#view.getUint32(at + 4, true) >>> 24) & 0x1f;
  }

  #bitOffset(id: number, member: string, depth: number): number | null {
    const at = this.#types[id];
    if (at === undefined || id === 0 || depth === 0) return null;
    const kind = this.#kind(at);
    if (kind !== STRUCT && kind !== UNION) return null;
    const info = this.#view.getUint32(at + 4, true);
    for (let i = 0; i < (info & 0xffff); i++) {
      const entry = at + TYPE_BYTES + i * MEMBER_BYTES;
      const name = this.#view.getUint32(entry, true);
      const raw = this.#view.getUint32(entry + 8, true);
      const offset = info >>> 31 === 1 ? raw & 0xffffff : raw; // with kind_flag the top byte is a bit field's size
      if (this.#isNamed(name, member)) return offset;
      if (name !== 0 && !this.#isNamed(name, "")) continue;
      const inside = this.#bitOffset(this.#view.getUint32(entry + 4, true), member, depth - 1);
      if (inside !== null) return offset + inside;
    }
    return null;
  }

  #isNamed(offset: number, name: string): boolean {
    for (let i = 0; i < name.length; i++) {
      if (this.#strings[offset + i] !== name.charCodeAt(i)) return false;
    }
    return this.#strings[offset + name.length] === 0;
  }
}

/** The three offsets on the way from a probe's first argument to the device number; `null` when one is missing. */
export function deviceOffsets(btf: Btf): DeviceOffsets | null {
  const bdDev = btf.memberOffset("block_device", "bd_dev");
  const fInode = btf.memberOffset("file", "f_inode");
  const iRdev = btf.memberOffset("inode", "i_rdev");
  return bdDev === null || fInode === null || iRdev === null ? null : { bdDev, fInode, iRdev };
}

/** The running kernel's offsets; `null` when it does not tell. */
export function readDeviceOffsets(path = "/sys/kernel/btf/vmlinux"): DeviceOffsets | null {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
  const btf = Btf.parse(bytes);
  return btf && deviceOffsets(btf);
}
