/**
 * `prmig timeline`: recorded events in, a picture or a page out.
 *
 * @module
 */
import { EXIT, PrmigError } from "../../errors.ts";
import { eventFromJson, type PrEvent } from "../../snoop/event.ts";
import type { CommandContext } from "../context.ts";
import { htmlFile, svgFile } from "./page.ts";

/** What the command line asks for. */
export interface TimelineInput {
  /** Files of events; `-`: standard input. */
  readonly files: readonly string[];
  readonly output: string | undefined;
}

/** Resolves with the exit code. */
export async function runTimeline({ files, output }: TimelineInput, context: CommandContext): Promise<number> {
  const draw = output === undefined || output.endsWith(".svg") ? svgFile : output.endsWith(".html") ? htmlFile : null;
  if (draw === null) throw usage(`--output ${output}: expected a name that ends in .svg or .html`);
  if (output === undefined && context.out.isTerminal) throw usage("--output is missing: a terminal shows no pictures");
  const { events, unreadable } = await readAll(files, context);
  if (events.length === 0) {
    throw new PrmigError("failed", {
      message: `There are no events in ${files.join(", ")}`,
      lun: "not touched",
      remedy: "record some: prmig watch DEV --json >events.ndjson",
    });
  }
  if (unreadable > 0) {
    context.err.line(`note: ${unreadable} ${unreadable === 1 ? "line is" : "lines are"} no event and left out`);
  }
  const text = draw(events);
  if (output === undefined) context.writeStdout(new TextEncoder().encode(text));
  else write(output, text);
  return EXIT.ok;
}

async function readAll(
  files: readonly string[],
  context: CommandContext,
): Promise<{ events: PrEvent[]; unreadable: number }> {
  const events: PrEvent[] = [];
  let unreadable = 0;
  for (const file of files) {
    const text = file === "-" ? await new Response(context.stdin.stream()).text() : read(file);
    for (const line of text.split("\n")) {
      if (line.trim() === "") continue;
      const event = eventFromJson(line);
      if (event) events.push(event);
      else unreadable++;
    }
  }
  return { events, unreadable };
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw fileError("read", file, error);
  }
}

function write(file: string, text: string): void {
  try {
    Deno.writeTextFileSync(file, text);
  } catch (error) {
    throw fileError("write", file, error);
  }
}

function fileError(what: string, file: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  return new PrmigError("failed", {
    message: `Cannot ${what} ${file}: ${error.message}`,
    lun: "not touched",
    remedy: "name another file",
  }, { cause: error });
}

function usage(message: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy: "prmig timeline --help" });
}
