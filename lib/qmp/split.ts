/**
 * JSON texts out of a byte stream, as QMP sends them: objects one after the other, with or without line breaks in them
 * (`-qmp-pretty` has some). Pure.
 *
 * It only finds where an object ends; whether it is JSON is for the parser. Memory is bounded by the longest object.
 *
 * @module
 */

const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANKS: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/** Something between two objects, or an object without end. */
export class NotJson extends Error {
  override readonly name = "NotJson";
}

/** Cuts a stream into objects. */
export class JsonSplitter {
  #parts: Uint8Array[] = [];
  #length = 0;
  #depth = 0;
  #inText = false;
  #escaped = false;

  constructor(readonly maxBytes: number) {}

  /** Takes the next bytes, gives the objects that end in them. Throws {@link NotJson}; the splitter is useless then. */
  take(chunk: Uint8Array): string[] {
    const whole: string[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#depth === 0) {
        if (BLANKS.includes(byte)) continue;
        if (byte !== OPEN) {
          throw new NotJson(`byte 0x${byte.toString(16).padStart(2, "0")} where an object should begin`);
        }
        from = at;
        this.#depth = 1;
        continue;
      }
      if (!this.#endsAt(byte)) continue;
      whole.push(this.#text(chunk.subarray(from, at + 1)));
    }
    if (this.#depth > 0) this.#keep(chunk.subarray(from));
    return whole;
  }

  /** True between two objects: a stream that ends here ends well. */
  get between(): boolean {
    return this.#depth === 0;
  }

  #endsAt(byte: number): boolean {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inText = false;
      return false;
    }
    if (byte === QUOTE) this.#inText = true;
    else if (byte === OPEN) this.#depth++;
    else if (byte === CLOSE) this.#depth--;
    return this.#depth === 0;
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > this.maxBytes) throw new NotJson(`an object of more than ${this.maxBytes} bytes`);
    this.#parts.push(part.slice());
  }

  #text(last: Uint8Array): string {
    this.#keep(last);
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw new NotJson("an object that is not UTF-8");
    }
  }
}
