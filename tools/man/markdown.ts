/**
 * The part of Markdown our specifications use, as roff: so that a specification is a manual page, too.
 *
 * Headings, paragraphs, code (indented or fenced), tables, lists, `code`, **bold**, [links](to). Anything else stands as
 * it is written. Pure.
 *
 * @module
 */
import { bold, definition, escapeText, line, section, subsection, verbatim } from "./roff.ts";

/** What stands under the first heading, section by section. The first heading itself is the title. */
export function markdownSections(markdown: string): { title: string; sections: string[] } {
  const [first, ...rest] = markdown.split(/^## /m);
  const title = /^# (.+)$/m.exec(first!)?.[1] ?? "";
  const lead = first!.replace(/^# .+$/m, "").trim();
  const sections = lead === "" ? [] : [section("Description", ...blocks(lead))];
  for (const part of rest) {
    const end = part.indexOf("\n");
    const [heading, text] = end < 0 ? [part, ""] : [part.slice(0, end), part.slice(end + 1)];
    sections.push(section(plain(heading), ...blocks(text)));
  }
  return { title, sections };
}

function blocks(text: string): string[] {
  return text.replaceAll(/^```[^\n]*\n([\s\S]*?)^```$/gm, (_, code: string) => code.replaceAll(/^/gm, "    ").trimEnd())
    .replaceAll(/^\n+|\s+$/g, "").split(/\n(?:[ \t]*\n)+/).map(block);
}

function block(text: string): string {
  if (text.startsWith("    ")) return `.PP\n${verbatim(text.replaceAll(/^ {4}/gm, ""))}`;
  if (text.startsWith("|")) return table(text);
  if (text.startsWith("### ")) {
    const [heading, ...rest] = text.split("\n");
    return [subsection(plain(heading!.slice(4))), ...(rest.length > 0 ? [block(rest.join("\n"))] : [])].join("\n");
  }
  if (/^[-*] /.test(text)) return list(text, /^[-*] /, () => "\\(bu");
  if (/^\d+\. /.test(text)) return list(text, /^\d+\. /, (i) => `${i + 1}.`);
  return `.PP\n${line(markup(unwrapped(text)))}`;
}

function list(text: string, start: RegExp, mark: (index: number) => string): string {
  const items = text.split(new RegExp(`\\n(?=${start.source.slice(1)})`));
  return items.map((item, i) => `.IP ${mark(i)} 4\n${line(markup(unwrapped(item.replace(start, ""))))}`).join("\n");
}

/** A row is a term (its first cell that is not empty, with the one above where that one is empty) and its meaning. */
function table(text: string): string {
  const [, , ...rows] = text.split("\n").map((row) =>
    row.replace(/^\|/, "").replace(/\|\s*$/, "").split("|").map((cell) => cell.trim())
  );
  let above = "";
  return rows.map((cells) => {
    const [first, ...rest] = cells as [string, ...string[]];
    above = first === "" ? above : first;
    const meaning = rest.pop() ?? "";
    const term = [above, ...rest].map((cell) => plain(cell)).join(" ").trim();
    return definition(term, plain(meaning, true));
  }).join("\n");
}

function unwrapped(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}

function markup(text: string): string {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).map((part) => {
    if (part.startsWith("`") && part.length > 1) return bold(part.slice(1, -1));
    if (part.startsWith("**")) return `\\fB${escapeText(part.slice(2, -2))}\\fR`;
    const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
    return link ? escapeText(link[1]!) : escapeText(part);
  }).join("");
}

function plain(text: string, keepCode = false): string {
  const unlinked = text.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1").replaceAll(/\*\*([^*]+)\*\*/g, "$1");
  return keepCode ? unlinked : unlinked.replaceAll("`", "");
}
