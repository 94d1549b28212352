/**
 * `prmig explain`: words or stdin in, explanations out.
 *
 * @module
 */
import { EXIT, PrmigError } from "../../errors.ts";
import type { ByteSource, CommandContext } from "../context.ts";
import { explainItem, Unclear } from "./explain.ts";
import { type Explanation, explanationJson, explanationText } from "./explanation.ts";
import { type Kind, KINDS } from "./kinds.ts";
import { type Item, itemsOf } from "./words.ts";

/** What the command line asks for. */
export interface ExplainInput {
  readonly words: readonly string[];
  readonly as: string | undefined;
}

/** More than any log a person pastes; a larger one is cut, and told so. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Resolves with 0, or rejects with a usage error when nothing could be explained. */
export async function runExplain({ words, as }: ExplainInput, context: CommandContext): Promise<number> {
  const fromStdin = words.length === 0 || (words.length === 1 && words[0] === "-");
  if (fromStdin && context.stdin.isTerminal) throw unclear("HEX is missing: write the bytes, or pipe a log into it");
  const text = fromStdin ? await readAll(context.stdin, context) : words.join(" ");
  const kind = KINDS.find(({ name }) => name === as) ?? null;
  const items = readItems(text);
  let shown = 0;
  for (const item of items) {
    const explanation = explained(item, kind);
    if (explanation === null) continue;
    show(item, explanation, items.length > 1, shown++, context);
  }
  if (shown === 0) throw unclear(nothingFound(items));
  return EXIT.ok;
}

function readItems(text: string): Item[] {
  try {
    return itemsOf(text);
  } catch (error) {
    if (error instanceof RangeError) throw unclear(error.message);
    throw error;
  }
}

function explained(item: Item, as: Kind | null): Explanation | null {
  try {
    return explainItem(item, as);
  } catch (error) {
    if (error instanceof Unclear) throw unclear(error.message);
    throw error;
  }
}

function show(
  item: Item,
  explanation: Explanation,
  several: boolean,
  shown: number,
  { out, json }: CommandContext,
): void {
  const line = item.kind === "line" ? item.text : null;
  if (json) return out.json({ ...explanationJson(explanation), ...(line === null ? {} : { line }) });
  // In a log full of them, each explanation stands under the line it belongs to.
  const head = several && line !== null ? `${out.colour.faint(line.trim())}\n` : "";
  out.line((shown > 0 ? "\n" : "") + head + explanationText(explanation, out.colour, out.columns));
}

function nothingFound(items: readonly Item[]): string {
  if (items.length === 0) return "there is nothing to explain";
  if (items.length > 1) return `none of these ${items.length} lines holds a SCSI command, a status or sense data`;
  const [item] = items;
  const text = item!.kind === "line" ? `"${item!.text.trim().slice(0, 60)}" is` : "this is";
  return `${text} neither hex nor a line with a SCSI command, a status or sense data`;
}

async function readAll(source: ByteSource, { err }: CommandContext): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of source.stream()) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) {
      err.line(`only the first ${MOST_BYTES / 1024 / 1024} MiB are read`);
      break;
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function unclear(message: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy: "prmig explain --help" });
}
