/**
 * A command as data: help, usage errors, man pages and completion are all derived from its definition.
 *
 * Pure, and cheap to load: a definition names what it takes and what it means. What it does is in another module,
 * which `run` imports when it is called, so that `--help` loads no device code:
 *
 *     export const dump = defineCommand({
 *       name: "dump", ...
 *       args: { devices: many("DEV", "...", { atLeast: 0 }) },
 *       options: { all: flag("every SCSI disk"), timeout: fallback(DURATION, "10s", "limit of each command") },
 *       run: async (input, context) => (await import("../dump/run.ts")).runDump(input, context),
 *     });
 *
 * @module
 */
import type { FailureKind } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { ADDRESS, type ValueKind } from "./values.ts";

/** A positional argument. */
export interface ArgSpec<T = unknown> {
  readonly placeholder: string;
  readonly help: string;
  readonly value: ValueKind<unknown>;
  /** How often: exactly once, at most once, or any number from `atLeast` on. */
  readonly times: "once" | "optional" | "many";
  readonly atLeast: number;
  /** Carries the type only; never set. */
  readonly reads?: T;
}

/** An option. Its name is its property's name in kebab case. */
export interface OptionSpec<T = unknown> {
  readonly kind: "flag" | "value" | "values";
  readonly help: string;
  /** `null` for flags. */
  readonly value: ValueKind<unknown> | null;
  readonly required: boolean;
  /** What holds when it is not given, as a person would write it. */
  readonly fallback?: string;
  /** One-letter form. */
  readonly short?: string;
  /** Carries the type only; never set. */
  readonly reads?: T;
}

/** Exactly one argument. */
export function one(placeholder: string, help: string, value: ValueKind<string> = ADDRESS): ArgSpec<string> {
  return { placeholder, help, value, times: "once", atLeast: 1 };
}

/** One argument or none. */
export function maybe(
  placeholder: string,
  help: string,
  value: ValueKind<string> = ADDRESS,
): ArgSpec<string | undefined> {
  return { placeholder, help, value, times: "optional", atLeast: 0 };
}

/** Any number of arguments, `atLeast` so many. It must be the command's only positional. */
export function many(
  placeholder: string,
  help: string,
  { atLeast = 1, value = ADDRESS }: { atLeast?: number; value?: ValueKind<string> } = {},
): ArgSpec<readonly string[]> {
  return { placeholder, help, value, times: "many", atLeast };
}

/** An option without a value: false unless given. */
export function flag(help: string, short?: string): OptionSpec<boolean> {
  return { kind: "flag", help, value: null, required: false, ...(short === undefined ? {} : { short }) };
}

/** An option with a value that may be left out. */
export function optional<T>(value: ValueKind<T>, help: string): OptionSpec<T | undefined> {
  return { kind: "value", help, value, required: false };
}

/** An option without which the command cannot run: for dangerous choices, which have no default. */
export function required<T>(value: ValueKind<T>, help: string): OptionSpec<T> {
  return { kind: "value", help, value, required: true };
}

/** An option with a default, written as a person would write it. */
export function fallback<T>(value: ValueKind<T>, whenAbsent: string, help: string): OptionSpec<T> {
  return { kind: "value", help, value, required: false, fallback: whenAbsent };
}

/** An option that may be given several times. */
export function repeated<T>(value: ValueKind<T>, help: string): OptionSpec<readonly T[]> {
  return { kind: "values", help, value, required: false };
}

/** An example: a command line that works as it stands, and what it is for. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

/** Positional arguments by name, in order. */
export type ArgSpecs = Readonly<Record<string, ArgSpec>>;
/** Options by name, in the order of the help. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Reads<S> = S extends ArgSpec<infer T> ? T : S extends OptionSpec<infer T> ? T : never;

/** What `run` receives: every argument and option under its own name, already read. */
export type Input<A extends ArgSpecs, O extends OptionSpecs> =
  & { readonly [K in keyof A]: Reads<A[K]> }
  & { readonly [K in keyof O]: Reads<O[K]> };

/** What a command is, beside its arguments, options and deed. */
export interface CommandFacts {
  readonly name: string;
  /** One line, no full stop: what it does. */
  readonly summary: string;
  /** Paragraphs, parted by empty lines; wrapped when shown. */
  readonly description: string;
  /** Whether it can change a LUN. Decides what an interrupt or a defect may claim about the LUN. */
  readonly changesLun: boolean;
  /** A reading command that has to tidy up: it heeds the signal of its context, and is waited for. */
  readonly stopsItself?: boolean;
  /** What each exit code it can end with means here. `ok` and `usage` go without saying. */
  readonly exits: Readonly<Partial<Record<FailureKind, string>>>;
  readonly examples: readonly Example[];
}

/** A definition, as it is written. */
export interface CommandDefinition<A extends ArgSpecs, O extends OptionSpecs> extends CommandFacts {
  readonly args: A;
  readonly options: O;
  /** Resolves with the exit code, or nothing for 0. Failures are thrown as PrmigError. */
  readonly run: (input: Input<A, O>, context: CommandContext) => Promise<number | void>;
}

/** A definition, as the rest of the program sees it. */
export interface Command extends CommandFacts {
  readonly args: ArgSpecs;
  readonly options: OptionSpecs;
  readonly run: (input: Readonly<Record<string, unknown>>, context: CommandContext) => Promise<number | void>;
}

/** Options every command has. */
export const GLOBAL_OPTIONS = {
  json: flag("write JSON for programs: one object a line on stdout, an error as one object on stderr"),
  verbose: flag("show every SCSI command with its decoded meaning on stderr", "v"),
  help: flag("show this help", "h"),
} as const satisfies OptionSpecs;

/** Turns a definition into a command, and refuses one that the command line could not express. */
export function defineCommand<const A extends ArgSpecs, const O extends OptionSpecs>(
  definition: CommandDefinition<A, O>,
): Command {
  const { name, args, options } = definition;
  const kinds = Object.values(args).map((arg) => arg.times);
  if (kinds.includes("many") && kinds.length > 1) throw new TypeError(`${name}: "many" must be the only argument`);
  for (const option of Object.keys(options)) {
    if (option in GLOBAL_OPTIONS || option in args) throw new TypeError(`${name}: two things are called "${option}"`);
  }
  // The parser built from `args` and `options` produces exactly what Input describes; types cannot follow it there.
  return { ...definition, run: (input, context) => definition.run(input as Input<A, O>, context) };
}

/** `ownKey` -> `own-key`: how an option is written. */
export function optionName(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}
