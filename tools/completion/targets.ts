/**
 * What completes a word of the command line, told from the definitions alone.
 *
 * Pure. The three shells' generators ask here and differ in nothing but words of their shell.
 *
 * @module
 */
import { type ArgSpec, type Command, GLOBAL_OPTIONS, optionName, type OptionSpec } from "../../lib/cli/command.ts";
import { TOPICS } from "../../lib/cli/topics.ts";
import { ADDRESS, type ValueKind } from "../../lib/cli/values.ts";

/** What can stand in a place. */
export type Target =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** SCSI nodes, maps, links to them, and any file for `sim:`. */
  | { readonly kind: "device" }
  | { readonly kind: "file" }
  | { readonly kind: "user" }
  | { readonly kind: "group" }
  /** Something nobody can guess: a key, a duration, a name. */
  | { readonly kind: "free" };

/** An option as a shell needs it. */
export interface ShellOption {
  /** `--timeout`. */
  readonly long: string;
  /** `-v`, where there is one. */
  readonly short: string | null;
  readonly help: string;
  /** Null for an option without a value. */
  readonly value: { readonly shape: string; readonly target: Target } | null;
  readonly repeatable: boolean;
}

/** A command as a shell needs it. */
export interface ShellCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly ShellOption[];
  /** In order; the last one again and again where `many`. */
  readonly args: readonly { readonly placeholder: string; readonly target: Target }[];
  readonly many: boolean;
}

/** Every command, with the options all of them have. */
export function shellCommands(commands: readonly Command[]): ShellCommand[] {
  return commands.map(({ name, summary, args, options }) => {
    const specs = Object.values(args);
    return {
      name,
      summary,
      options: [...shellOptions(options), ...shellOptions(GLOBAL_OPTIONS)],
      args: specs.map((spec) => ({ placeholder: spec.placeholder, target: argumentTarget(spec, commands) })),
      many: specs.at(-1)?.times === "many",
    };
  });
}

/** Options that stand before a command, or without one. */
export const PROGRAM_OPTIONS: readonly ShellOption[] = [
  ...shellOptions(GLOBAL_OPTIONS),
  { long: "--version", short: "-V", help: "show the version and nothing else", value: null, repeatable: false },
];

function shellOptions(options: Readonly<Record<string, OptionSpec>>): ShellOption[] {
  return Object.entries(options).map(([property, { short, help, value, kind }]) => ({
    long: `--${optionName(property)}`,
    short: short === undefined ? null : `-${short}`,
    help,
    value: value === null ? null : { shape: value.shape, target: targetOf(value) },
    repeatable: kind === "values",
  }));
}

function argumentTarget({ placeholder, value }: ArgSpec, commands: readonly Command[]): Target {
  if (placeholder === "TOPIC") {
    return { kind: "words", words: [...commands.map(({ name }) => name), ...Object.keys(TOPICS)] };
  }
  return targetOf(value);
}

function targetOf(value: ValueKind<unknown>): Target {
  if (value === ADDRESS) return { kind: "device" };
  if (value.choices !== undefined) return { kind: "words", words: value.choices };
  switch (value.shape) {
    case "PATH":
    case "FILE":
    case "DIRECTORY":
      return { kind: "file" };
    case "USER":
      return { kind: "user" };
    case "GROUP":
      return { kind: "group" };
    case "ADDR":
      return { kind: "words", words: ["unix:", "tcp:"] };
    default:
      return { kind: "free" };
  }
}
