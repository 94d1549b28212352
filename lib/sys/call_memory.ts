/**
 * Memory of one system call: the call itself, as thread_code.ts reads it, and the bytes it works on. Pure.
 *
 *     0 number, result, four arguments | 64 the caller's bytes
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { BLOCK, BLOCK_HEAD } from "./thread_code.ts";

/** A block. It is one call's until the call has ended, and then another's. */
export class CallMemory {
  /** What the call works on. */
  readonly bytes: Bytes;
  /** Address of the first of them. */
  readonly address: number;
  readonly #head: Uint32Array<ArrayBuffer>;

  /** `number`: which block of its arena it is; `null`: of none. `at`: where in the buffer, whose address there is `block`. */
  constructor(readonly number: number | null, buffer: ArrayBuffer, at: number, readonly block: number, size: number) {
    this.bytes = new Uint8Array(buffer, at + BLOCK_HEAD, size);
    this.address = block + BLOCK_HEAD;
    this.#head = new Uint32Array(buffer, at, BLOCK_HEAD / 4);
  }

  /** Lays out which call is to be made: system call `nr` with up to four arguments, ints or addresses. */
  call(nr: number, a: number, b = 0, c = 0, d = 0): void {
    const head = this.#head;
    head[BLOCK.nr] = nr;
    // Halves of 4 bytes; bigints would be garbage at every call. The upper half of a negative int is of no interest.
    const at = BLOCK.arguments;
    head[at] = a, head[at + 1] = a / 0x1_0000_0000;
    head[at + 2] = b, head[at + 3] = b / 0x1_0000_0000;
    head[at + 4] = c, head[at + 5] = c / 0x1_0000_0000;
    head[at + 6] = d, head[at + 7] = d / 0x1_0000_0000;
  }

  /** What the call ended with: its result, or `-errno`. */
  get result(): number {
    return this.#head[BLOCK.result]! | 0;
  }
}
