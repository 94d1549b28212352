/**
 * What `explain` found out: a title, fields, sentences, and the same as JSON. Pure.
 *
 * @module
 */
import { clean } from "../clean.ts";
import type { Colour } from "../colour.ts";
import { wrap } from "../layout.ts";

/** What some bytes, or a line of a log, mean. */
export interface Explanation {
  /** What it is, in one line. */
  readonly title: string;
  /** Fields by the standard's names, as text. */
  readonly rows: readonly (readonly [label: string, value: string])[];
  /** What it does and what follows from it, a sentence each. */
  readonly notes: readonly string[];
  /** The same for programs; `kind` tells which fields there are. */
  readonly facts: { readonly kind: string } & Readonly<Record<string, unknown>>;
}

const INDENT = "  ";

/** An explanation for people. */
export function explanationText({ title, rows, notes }: Explanation, colour: Colour, columns: number): string {
  const column = Math.max(0, ...rows.map(([label]) => label.length)) + 2;
  return [
    colour.strong(clean(title)),
    ...rows.flatMap(([label, value]) => row(label, value, column, columns)),
    ...notes.flatMap((note) => wrap(clean(note), columns, INDENT)),
  ].join("\n");
}

/** An explanation for programs. */
export function explanationJson({ title, notes, facts }: Explanation): Record<string, unknown> {
  return { ...facts, title, notes };
}

function row(label: string, value: string, column: number, columns: number): string[] {
  const lines = wrap(clean(value), columns, INDENT + " ".repeat(column));
  return [INDENT + label.padEnd(column) + (lines[0] ?? "").trimStart(), ...lines.slice(1)].map((line) =>
    line.trimEnd()
  );
}
