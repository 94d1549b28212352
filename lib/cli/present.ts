/**
 * The one place that turns a failure into text, JSON and an exit code.
 *
 *     error: Cannot read the reservations of /dev/sg3: not ready
 *       status: CHECK CONDITION, NOT READY (02/04/01)
 *       LUN: unchanged
 *       try: prmig dump /dev/sg3
 *
 * Pure.
 *
 * @module
 */
import { EXIT, type FailureFacts, type FailureKind, PrmigError } from "../errors.ts";
import { clean, jsonLine } from "./clean.ts";
import type { Colour } from "./colour.ts";
import { OutputError } from "./printer.ts";
import { VERSION } from "./version.ts";

const READ_ONLY = "unchanged; this command only reads";

/** A failure ready to be printed on stderr. */
export interface Presented {
  readonly stderr: string;
  readonly exitCode: number;
}

/** How the command ran that failed. */
export interface Circumstances {
  readonly json: boolean;
  readonly colour: Colour;
  /** The command could have changed a LUN before it failed. */
  readonly changesLun: boolean;
}

/** Any thrown value as text or JSON. What is no PrmigError is a defect of prmig and is called one. */
export function present(error: unknown, { json, colour, changesLun }: Circumstances): Presented {
  if (error instanceof OutputError) return presentOutputError(error, { json, colour, changesLun });
  if (!(error instanceof PrmigError)) return presentDefect(error, { json, colour, changesLun });
  const { kind, facts, exitCode } = error;
  return { stderr: json ? toJson(kind, facts) : toText(kind, facts, colour), exitCode };
}

function toJson(kind: string, facts: FailureFacts, more: Record<string, unknown> = {}): string {
  const { message, device, command, status, lun, remedy } = facts;
  return jsonLine({ error: { kind, message, device, command, status, lun, remedy, ...more } });
}

function toText(kind: FailureKind, facts: FailureFacts, colour: Colour): string {
  const head = `${colour.bad("error:")} ${field(facts.message)}`;
  if (kind === "usage") return `${head}\nTry: ${field(facts.remedy)}`;
  const lines = [head];
  const { message } = facts;
  for (const name of ["device", "command", "status"] as const) {
    const value = facts[name];
    if (value !== undefined && !message.includes(value)) lines.push(`  ${name}: ${field(value)}`);
  }
  lines.push(`  LUN: ${field(facts.lun)}`, `  try: ${field(facts.remedy)}`);
  return lines.join("\n");
}

/** Line breaks stay, but indented: no field can look like another. */
function field(text: string): string {
  return text.split("\n").map(clean).join("\n    ");
}

/** The command has done its work, or part of it; what it had to say is lost. */
function presentOutputError(error: OutputError, { json, colour, changesLun }: Circumstances): Presented {
  const kind = changesLun ? "unsure" : "failed";
  const facts: FailureFacts = {
    message: error.message,
    lun: changesLun ? "may have been changed as asked; what was to be said of it is lost" : READ_ONLY,
    remedy: "send the output elsewhere, and look at the LUN with `prmig dump`",
  };
  return { stderr: json ? toJson(kind, facts) : toText(kind, facts, colour), exitCode: EXIT[kind] };
}

/** A command that changes a LUN and broke on the way cannot claim that the LUN is as before: that is `unsure`. */
function presentDefect(error: unknown, { json, colour, changesLun }: Circumstances): Presented {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
  const facts: FailureFacts = {
    message: `defect in prmig ${VERSION}: ${what}`,
    lun: changesLun ? "not known; this command may have changed it" : READ_ONLY,
    remedy: changesLun
      ? "look at the LUN with `prmig dump`, then report this defect with what stands here"
      : "report this defect with what stands here",
  };
  const exitCode = changesLun ? EXIT.unsure : EXIT.failed;
  const stack = error instanceof Error && error.stack ? frames(error) : [];
  if (json) return { stderr: toJson("defect", facts, { stack }), exitCode };
  return { stderr: [toText("failed", facts, colour), ...stack.map((line) => `  ${clean(line)}`)].join("\n"), exitCode };
}

/** Stack frames without the message, which is told already, of the error and of what caused it. */
function frames(error: Error): string[] {
  const own = (error.stack ?? "").split("\n").map((line) => line.trim()).filter((line) => line.startsWith("at "));
  if (!(error.cause instanceof Error)) return own;
  return [...own, `caused by ${error.cause.name}: ${error.cause.message}`, ...frames(error.cause)];
}
