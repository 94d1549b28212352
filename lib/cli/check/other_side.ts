/**
 * The destination's view of the LUN: through another nexus of this host, or told by `prmig dump` on another one.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { CommandContext } from "../context.ts";
import type { DumpRecord } from "../dump/record.ts";

/** More than any dump of one LUN. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Whether a word is a command and no address: addresses have no blanks. */
export function isCommand(word: string): boolean {
  return /\s/.test(word.trim());
}

/** Runs `prmig dump` on the other host, as the command says, and reads what it tells. */
export async function askOther(command: string, { signal }: CommandContext): Promise<DumpRecord> {
  const { success, code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", `exec ${command} --json`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).output();
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "";
  if (!success) throw unusable(command, said === "" ? `it ended with ${code}` : messageOf(said));
  const record = stdout.length > MOST_BYTES ? null : parse(new TextDecoder().decode(stdout).trim());
  if (!isRecord(record)) throw unusable(command, "it did not print one LUN as JSON");
  return record;
}

/** The message of an error in JSON, or the line itself. */
function messageOf(line: string): string {
  const told = parse(line) as { error?: { message?: unknown } } | null;
  return typeof told?.error?.message === "string" ? told.error.message : line;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What is used of the other side's dump has the form it promises. */
function isRecord(value: unknown): value is DumpRecord {
  if (typeof value !== "object" || value === null) return false;
  const { device, lun, registrations } = value as Record<string, unknown>;
  if (typeof device !== "string" || typeof lun !== "object" || lun === null || !Array.isArray(registrations)) {
    return false;
  }
  const { designator } = lun as Record<string, unknown>;
  return (designator === null || typeof designator === "string") && registrations.every(isRegistration);
}

function isRegistration(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { key, self } = value as Record<string, unknown>;
  return typeof key === "string" && /^0x[0-9a-f]{16}$/.test(key) && (self === null || typeof self === "boolean");
}

function unusable(command: string, why: string): PrmigError {
  return new PrmigError("device", {
    message: `Cannot look at the LUN from the other side: ${why}`,
    command,
    lun: "unchanged: it was only read",
    remedy: `run it by hand: ${command}`,
  });
}
