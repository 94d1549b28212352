/**
 * Text as roff, with the man macros: the words of the help come out in a manual page as they are meant.
 *
 * Pure. Only what every man program knows is used: .TH .SH .SS .PP .TP .IP .nf .fi .EX .EE and font changes.
 *
 * @module
 */

/** Heads of a page. */
export interface PageHead {
  readonly name: string;
  readonly section: number;
  readonly date: string;
  readonly version: string;
  /** Words in the middle of the top line. */
  readonly manual: string;
}

/** The first lines of a page. Text is ragged and not hyphenated: options and paths stay whole. */
export function pageHead({ name, section, date, version, manual }: PageHead): string {
  const words = [quoted(name.toUpperCase()), section, ...[date, `prmig ${version}`, manual].map(quoted)];
  return [
    '.\\" Made from the definitions of the commands; not to be edited.',
    `.TH ${words.join(" ")}`,
    ".ad l",
    ".nh",
  ].join("\n");
}

/** A section: its heading and the lines below it. */
export function section(title: string, ...lines: readonly string[]): string {
  return [`.SH ${quoted(title.toUpperCase())}`, ...lines].join("\n");
}

/** A heading within a section. */
export function subsection(title: string, ...lines: readonly string[]): string {
  return [`.SS ${quoted(title)}`, ...lines].join("\n");
}

/** Paragraphs parted by empty lines, as in help texts; one that begins with a blank stands as it is. */
export function paragraphs(text: string): string {
  return text.trim().split(/\n\s*\n/).map((paragraph, i) => {
    const start = i === 0 ? "" : ".PP\n";
    if (paragraph.startsWith(" ")) return start + verbatim(dedented(paragraph));
    return start + line(inline(paragraph.replaceAll(/\s+/g, " ").trim()));
  }).join("\n");
}

/** Without the blanks that all lines begin with. */
function dedented(text: string): string {
  const rows = text.split("\n");
  const common = Math.min(...rows.filter((row) => row.trim() !== "").map((row) => row.search(/\S/)));
  return rows.map((row) => row.slice(common)).join("\n");
}

/** A term and what it means. */
export function definition(term: string, meaning: string): string {
  return `.TP\n${line(bold(term))}\n${line(inline(meaning))}`;
}

/** Lines as they stand, in a font of equal widths where there is one. */
export function verbatim(text: string): string {
  const lines = text.split("\n").map((row) => line(escapeCode(row)));
  return [".RS 4", ".EX", ...lines, ".EE", ".RE"].join("\n");
}

/** Words with `code` in bold, everything else as it is. */
export function inline(text: string): string {
  return text.split(/(`[^`]+`)/).map((part) =>
    part.startsWith("`") && part.length > 1 ? bold(part.slice(1, -1)) : escapeText(part)
  ).join("");
}

/** Something typed as it stands. */
export function bold(text: string): string {
  return `\\fB${escapeCode(text)}\\fR`;
}

/** Something to be replaced by what is meant. */
export function italic(text: string): string {
  return `\\fI${escapeCode(text)}\\fR`;
}

/** Prose: a hyphen between letters stays a hyphen, every other one is a minus that can be copied. */
export function escapeText(text: string): string {
  return text.replaceAll("\\", "\\e")
    .split(/(\s+)/).map((word) => /^[A-Za-z]+(-[A-Za-z]+)+[.,;:)]?$/.test(word) ? word : word.replaceAll("-", "\\-"))
    .join("").replaceAll("^", "\\(ha").replaceAll("~", "\\(ti");
}

/** What is typed or shown literally: every character copies as itself. */
export function escapeCode(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq").replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha").replaceAll("~", "\\(ti");
}

/** A text line that roff does not take for a request. */
export function line(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** An argument of a request. */
export function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\e").replaceAll('"', "\\(dq").replaceAll("-", "\\-")}"`;
}
