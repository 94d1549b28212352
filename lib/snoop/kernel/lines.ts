/**
 * Bytes into lines, across reads. Pure. A character stands for a byte (Latin-1), as trace_line.ts expects.
 *
 * @module
 */

/** A line longer than this is none of the kernel's; it is given up. */
const LONGEST = 16_384;

/** Splits a stream of bytes into lines. */
export class LineSplitter {
  #rest = "";

  /** The lines that these bytes complete, without their line feeds. */
  take(bytes: Uint8Array): string[] {
    const lines = (this.#rest + latin1(bytes)).split("\n");
    this.#rest = lines.pop()!;
    if (this.#rest.length > LONGEST) this.#rest = "";
    return lines;
  }
}

/** TextDecoder's "latin1" is windows-1252, which is not a byte a character. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}
