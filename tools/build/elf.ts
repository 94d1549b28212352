/**
 * As much of ELF as is needed to add a segment to a program: 64-bit, little endian, position independent.
 *
 *   0 magic | 18 machine u16 | 24 entry u64 | 32 program headers at u64 | 54 their size u16 | 56 their number u16
 *   each: 0 type u32 | 4 flags u32 | 8 offset | 16 address | 24 (physical) | 32 bytes in the file | 40 in memory | 48 align
 *
 * Pure. Source: the System V ABI, "Object Files".
 *
 * @module
 */

/** Types of program headers that matter here. */
export const SEGMENT = { null: 0, load: 1, interpreter: 3, note: 4, headers: 6 } as const;
/** Machines by the name Deno gives them. */
export const MACHINE: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };
/** Bytes of one program header. */
export const HEADER_BYTES = 56;

const READ = 4, EXECUTE = 1;
const POSITION_INDEPENDENT = 3;

/** One program header, and where it is. */
export interface Segment {
  /** Offset of the header itself. */
  readonly at: number;
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly alignment: number;
}

/** A program, for reading and for changing in place. */
export class Elf {
  readonly #view: DataView;

  /** Throws when these bytes are no program of the kind that can be worked on. */
  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 64 || this.#view.getUint32(0) !== 0x7f454c46) throw new Error("not an ELF file");
    if (this.#view.getUint16(4) !== 0x0201) throw new Error("not a 64-bit, little-endian ELF file");
    if (this.#view.getUint16(16, true) !== POSITION_INDEPENDENT) throw new Error("not position independent");
    if (this.#view.getUint16(54, true) !== HEADER_BYTES) throw new Error("program headers of an unknown size");
  }

  /** Number of the machine it runs on. */
  get machine(): number {
    return this.#view.getUint16(18, true);
  }

  /** Address of the first instruction. */
  get entry(): number {
    return this.#u64(24);
  }

  set entry(address: number) {
    this.#view.setBigUint64(24, BigInt(address), true);
  }

  /** Where the program headers are, and how many. */
  get headers(): { readonly at: number; readonly count: number } {
    return { at: this.#u64(32), count: this.#view.getUint16(56, true) };
  }

  /** All segments, in the order of their headers. */
  get segments(): Segment[] {
    const { at, count } = this.headers;
    return Array.from({ length: count }, (_, i) => this.segmentAt(at + i * HEADER_BYTES));
  }

  /** The segment whose header is at an offset. */
  segmentAt(at: number): Segment {
    return {
      at,
      type: this.#view.getUint32(at, true),
      offset: this.#u64(at + 8),
      address: this.#u64(at + 16),
      fileBytes: this.#u64(at + 32),
      memoryBytes: this.#u64(at + 40),
      alignment: this.#u64(at + 48),
    };
  }

  #u64(at: number): number {
    const value = this.#view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error("an offset beyond all bounds");
    return Number(value);
  }
}

/** Where a segment lies: in the file, in memory, how long. */
export interface Place {
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
  readonly alignment: number;
}

/** Writes a header at `at` that loads a place for reading and executing. */
export function writeLoad(bytes: Uint8Array<ArrayBuffer>, at: number, place: Place): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(at, SEGMENT.load, true);
  view.setUint32(at + 4, READ | EXECUTE, true);
  const { offset, address, bytes: size, alignment } = place;
  [offset, address, address, size, size, alignment].forEach((value, i) =>
    view.setBigUint64(at + 8 + 8 * i, BigInt(value), true)
  );
}

/** Moves the place a header speaks of, and leaves the rest of it. */
export function writePlace(bytes: Uint8Array<ArrayBuffer>, at: number, offset: number, address: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  [offset, address, address].forEach((value, i) => view.setBigUint64(at + 8 + 8 * i, BigInt(value), true));
}

/** Makes a header say nothing. */
export function writeNull(bytes: Uint8Array<ArrayBuffer>, at: number): void {
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(at, SEGMENT.null, true);
}
