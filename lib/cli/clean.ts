/**
 * Keeps text from devices, peers and files from acting on a terminal: what they call themselves is shown, never obeyed.
 *
 * Pure.
 *
 * @module
 */

/** Controls (C0, DEL, C1), invisible and direction-turning format characters, line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One field: such characters become visible (`\x1b`, `\u{202e}`), line breaks included. */
export function clean(field: string): string {
  return field.toWellFormed().replaceAll(UNSAFE, escaped);
}

/** Text of several lines: as {@link clean}, but line breaks and tabs stay. */
export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll(UNSAFE, (c) => c === "\n" || c === "\t" ? c : escaped(c));
}

/** A value as one line of JSON: the same JSON to a program, harmless to a terminal. Throws `TypeError` on a bigint. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    UNSAFE,
    (c) => Array.from({ length: c.length }, (_, i) => "\\u" + c.charCodeAt(i).toString(16).padStart(4, "0")).join(""),
  );
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x100 ? "\\x" + code.toString(16).padStart(2, "0") : `\\u{${code.toString(16)}}`;
}
