/**
 * Text laid out for a terminal: paragraphs wrapped, columns aligned.
 *
 * Pure. Widths are counted in characters; everything laid out here is ASCII or has been cleaned.
 *
 * @module
 */

/** Wraps one paragraph to `width` columns, every line after `indent`. A word longer than a line stays whole. */
export function wrap(paragraph: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(/\s+/).filter((w) => w !== "")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  if (line !== "") lines.push(indent + line);
  return lines;
}

/** Paragraphs parted by empty lines; one that begins with a blank is shown as it stands. */
export function wrapText(text: string, width: number): string[] {
  const out: string[] = [];
  for (const paragraph of text.trim().split(/\n\s*\n/)) {
    if (out.length > 0) out.push("");
    if (paragraph.startsWith(" ")) out.push(...paragraph.split("\n"));
    else out.push(...wrap(paragraph, width));
  }
  return out;
}

/** Terms on the left, what they mean on the right, wrapped; a long term gets a line of its own. */
export function definitionList(rows: readonly (readonly [term: string, meaning: string])[], width: number): string[] {
  const column = Math.min(Math.max(...rows.map(([term]) => term.length)) + 4, 30);
  return rows.flatMap(([term, meaning]) => {
    const lines = wrap(meaning, width, " ".repeat(column));
    if (term.length + 4 > column || lines.length === 0) return [`  ${term}`, ...lines];
    return [`  ${term}`.padEnd(column) + lines[0]!.slice(column), ...lines.slice(1)];
  });
}

/** Rows of cells in aligned columns, two blanks apart, nothing after the last. */
export function table(rows: readonly (readonly string[])[], indent = ""): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  return rows.map((row) => (indent + row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")).trimEnd());
}
