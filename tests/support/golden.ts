/**
 * Golden files: what the program printed when somebody last looked at it closely. `deno task golden:update` writes them
 * anew; the difference is reviewed as a change of behaviour.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Ran } from "./cli_world.ts";

const DIRECTORY = new URL("../golden/", import.meta.url);
/** Whether golden files are to be written anew, not compared. */
export const goldenUpdating: boolean = Deno.env.get("PRMIG_GOLDEN") === "update";

/** Compares a text with golden file `name`, or writes the file when asked to update. */
export function assertGolden(name: string, actual: string): void {
  const file = new URL(name, DIRECTORY);
  if (goldenUpdating) return Deno.writeTextFileSync(file, actual);
  assert.equal(
    actual,
    read(file),
    `${name} differs; if it should, run deno task golden:update and look at the difference`,
  );
}

/** Names of the golden files that exist. */
export function goldenNames(): string[] {
  return Array.from(Deno.readDirSync(DIRECTORY), ({ name }) => name).filter((name) => name.endsWith(".txt")).sort();
}

/** A run as a transcript: the words, what came out where, the exit code. */
export function transcript(words: readonly string[], { code, stdout, stderr }: Ran): string {
  const shown = words.map((word) => /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word}'`).join(" ");
  const parts = [`$ prmig ${shown}`.trimEnd() + "\n"];
  if (stdout !== "") parts.push(stdout);
  if (stderr !== "") parts.push(`--- stderr\n${stderr}`);
  return `${parts.join("")}--- exit ${code}\n`;
}

function read(file: URL): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "(there is no such golden file)\n";
    throw error;
  }
}
