/**
 * Text with styles, measured and wrapped before it is coloured: colour codes have no width.
 *
 * Pure. Text is cleaned when it is painted, and so is measured as it will be shown.
 *
 * @module
 */
import { clean } from "../clean.ts";
import type { Colour } from "../colour.ts";

/** How a piece of text is to look. */
export type Style = "plain" | "strong" | "faint" | "good" | "bad" | "notice";

/** A piece of text of one style. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** A span; plain unless told otherwise. What a device or a process calls itself becomes harmless here. */
export function span(text: string, style: Style = "plain"): Span {
  return { text: clean(text), style };
}

/** Characters a line of spans takes. */
export function widthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + text.length, 0);
}

/** The line as it is written out. */
export function paint(spans: readonly Span[], colour: Colour): string {
  return spans.map(({ text, style }) => style === "plain" || text.trim() === "" ? text : colour[style](text)).join("");
}

/** At most `columns` characters; `...` shows that there was more. */
export function fit(spans: readonly Span[], columns: number): Span[] {
  if (widthOf(spans) <= columns) return [...spans];
  const room = Math.max(0, columns - 3);
  const kept: Span[] = [];
  let used = 0;
  for (const { text, style } of spans) {
    const piece = text.slice(0, room - used);
    if (piece !== "") kept.push({ text: piece, style });
    used += piece.length;
    if (used >= room) break;
  }
  return [...kept, { text: "...".slice(0, columns), style: "faint" }];
}

/** Left and right at the two ends of a line; the right one gives way. */
export function spread(left: readonly Span[], right: readonly Span[], columns: number): Span[] {
  const gap = columns - widthOf(left) - widthOf(right);
  if (gap < 2) return fit(left, columns);
  return [...left, { text: " ".repeat(gap), style: "plain" }, ...right];
}

/** Breaks a line between words; every line after the first begins with `indent` blanks. Long words are cut. */
export function wrapSpans(spans: readonly Span[], columns: number, indent: number): Span[][] {
  const lines: Span[][] = [];
  let line: Span[] = [], used = 0;
  const begin = (): void => {
    if (line.length > 0) lines.push(line);
    line = lines.length === 0 ? [] : [{ text: " ".repeat(indent), style: "plain" }];
    used = widthOf(line);
  };
  begin();
  for (const { text, style } of spans) {
    for (let word of text.split(/(?<= )(?=[^ ])/)) {
      if (used + word.trimEnd().length > columns && used > indent) begin();
      while (word.trimEnd().length > columns - used && columns > used) {
        line.push({ text: word.slice(0, columns - used), style });
        word = word.slice(columns - used);
        begin();
      }
      word = word.slice(0, Math.max(0, columns - used));
      line.push({ text: word, style });
      used += word.length;
    }
  }
  if (line.length > 0) lines.push(line);
  return lines;
}
