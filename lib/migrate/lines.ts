/**
 * Lines of a byte stream, with a bound on their length: a peer that never ends its line costs no more than that.
 *
 * @module
 */
import { badStream, LIMITS } from "./stream.ts";

/** Lines of `bytes` without their newlines. Throws PrmigError `refused` for an overlong line, bad UTF-8, or a last line without its newline. */
export async function* linesOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let from = 0;
    for (let at; (at = chunk.indexOf(0x0a, from)) >= 0; from = at + 1) {
      yield decode(decoder, [...parts, chunk.subarray(from, at)], length + at - from);
      parts = [];
      length = 0;
    }
    length += chunk.length - from;
    if (length > LIMITS.lineBytes) throw badStream(`a line is longer than ${LIMITS.lineBytes} bytes`);
    if (from < chunk.length) parts.push(chunk.slice(from));
  }
  if (length > 0) throw badStream("it ends in the middle of a line");
}

function decode(decoder: TextDecoder, parts: readonly Uint8Array[], length: number): string {
  if (length > LIMITS.lineBytes) throw badStream(`a line is longer than ${LIMITS.lineBytes} bytes`);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  try {
    return decoder.decode(whole);
  } catch {
    throw badStream("a line is not UTF-8");
  }
}
