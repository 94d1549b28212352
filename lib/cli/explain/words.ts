/**
 * From words on the command line, or text on stdin, to what is to be explained: bytes, a key, a sense code, lines. Pure.
 *
 *     5f 04 05 ...            bytes, however they are grouped: `5f04`, `0x5f,0x04`, `5f:04`, `\x5f\x04`
 *     0x123abc                a key
 *     06/2A/05                sense key, ASC, ASCQ
 *     00000000: 5f04 ...      a hex dump: xxd, hexdump -C, od -tx1, sg_persist -H
 *     anything else           a line of a log
 *
 * @module
 */
import { type Bytes, concat, fromHex } from "../../bytes.ts";
import { parseKey } from "../../pr/types.ts";

/** Something to explain. */
export type Item =
  | { readonly kind: "bytes"; readonly bytes: Bytes }
  | { readonly kind: "key"; readonly key: bigint }
  | { readonly kind: "senseCode"; readonly key: number; readonly asc: number; readonly ascq: number }
  | { readonly kind: "line"; readonly text: string };

/** Takes text apart; empty when there is nothing in it. Errors: `RangeError` for hex that is no bytes. */
export function itemsOf(text: string): Item[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  return [single(trimmed) ?? hexText(trimmed) ?? hexDump(trimmed) ?? lines(trimmed)].flat();
}

function single(text: string): Item | null {
  const sense = /^([0-9a-f]{1,2})h?\/([0-9a-f]{1,2})h?\/([0-9a-f]{1,2})h?$/i.exec(text);
  if (sense) {
    const [key, asc, ascq] = sense.slice(1).map((digits) => parseInt(digits, 16));
    return key! <= 0x0f ? { kind: "senseCode", key: key!, asc: asc!, ascq: ascq! } : null;
  }
  // One word with 0x is a number, not bytes: only a key is written so.
  const key = /^0x[0-9a-f]{3,16}$/i.test(text) ? parseKey(text) : null;
  return key === null ? null : { kind: "key", key };
}

/** Nothing but hex digits and what people put between them. */
function hexText(text: string): Item | null {
  const digits = text.replaceAll(/0x|\\x/gi, " ");
  if (/[^0-9a-f\s,:;_-]/i.test(digits)) return null;
  const groups = digits.split(/[\s,:;_-]+/).filter((group) => group !== "");
  if (groups.length === 0) return null;
  const odd = groups.find((group) => group.length % 2 !== 0);
  if (odd !== undefined && groups.length > 1) throw new RangeError(`"${odd}" has an odd number of hex digits`);
  if (odd !== undefined) {
    throw new RangeError(`${odd.length} hex digits are no whole number of bytes; a key is written with 0x before it`);
  }
  return { kind: "bytes", bytes: fromHex(groups.join("")) };
}

const DUMP_LINE = /^\s*([0-9a-f]{2,8}):?\s+((?:[0-9a-f]{2}(?:[0-9a-f]{2})?(?:\s{1,3}|-|$)){1,16})(?:\s.*|\|.*)?$/i;

/** Every line an offset and up to 16 bytes, the offsets counting up from 0. */
function hexDump(text: string): Item | null {
  const parts: Bytes[] = [];
  let at = 0;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const match = DUMP_LINE.exec(line);
    if (!match) {
      // hexdump and od end with the total, by itself.
      if (/^\s*[0-9a-f]{2,8}\s*$/i.test(line) && parts.length > 0) continue;
      return null;
    }
    if (parseInt(match[1]!, 16) !== at) return null;
    const bytes = fromHex(match[2]!.replaceAll("-", " ")).subarray(0, 16);
    parts.push(bytes);
    at += bytes.length;
  }
  return { kind: "bytes", bytes: concat(...parts) };
}

function lines(text: string): Item[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line) => ({ kind: "line", text: line.trimEnd() }));
}
