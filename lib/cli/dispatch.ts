/**
 * The seam to the command-line library: the only file that knows it (docs/decisions/0002-stricli.md).
 *
 * It reads words by a command's definition, and suggests names for mistyped ones. It prints nothing, runs nothing and
 * decides no exit code: the outcome is a value.
 *
 * @module
 */
import {
  type ArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command as StricliCommand,
  type CommandContext as StricliContext,
  formatMessageForArgumentScannerError,
  run,
  text_en,
  type TypedCommandParameters,
} from "@stricli/core";
import { type ArgSpec, type Command, GLOBAL_OPTIONS, optionName, type OptionSpec } from "./command.ts";
import { BadValue } from "./values.ts";

/** What the words mean: a command with its input, or why they mean nothing. */
export type Parsed =
  | { readonly kind: "run"; readonly command: Command; readonly input: Readonly<Record<string, unknown>> }
  | { readonly kind: "wrong"; readonly message: string; readonly command: Command | null };

type Flags = Record<string, unknown>;
type Words = readonly unknown[];

/** Reads the words after `prmig`. */
export async function parseWords(commands: readonly Command[], words: readonly string[]): Promise<Parsed> {
  const wrong: string[] = [];
  let found: Parsed | null = null;
  const routes: Record<string, StricliCommand<StricliContext>> = {};
  for (const command of commands) {
    routes[command.name] = buildCommand<Flags, Words, StricliContext>({
      parameters: parametersOf(command),
      docs: { brief: command.summary },
      func: (flags, ...values) => {
        found = { kind: "run", command, input: inputOf(command, flags, values) };
      },
    });
  }
  const silent = { write: (): void => {} };
  const text = {
    ...text_en,
    noCommandRegisteredForInput: ({ input, corrections }: { input: string; corrections: readonly string[] }): string =>
      note(`there is no command ${quote(input)}${suggestion(corrections.map((name) => name.replaceAll("`", "")))}`),
    exceptionWhileParsingArguments: (error: unknown): string => note(explain(error, words)),
  };
  const note = (message: string): string => {
    wrong.push(message);
    return message;
  };
  const application = buildApplication(buildRouteMap({ routes, docs: { brief: "prmig" } }), {
    name: "prmig",
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true },
    localization: { text },
  }, {});
  await run(application, words, { process: { stdout: silent, stderr: silent } });
  if (found !== null) return found;
  const command = commands.find(({ name }) => name === words[0]) ?? null;
  return { kind: "wrong", message: wrong.join("; ") || "these words name no command", command };
}

function parametersOf(command: Command): TypedCommandParameters<Flags, Words, StricliContext> {
  const { help: _, ...globals } = GLOBAL_OPTIONS;
  const options: Readonly<Record<string, OptionSpec>> = { ...command.options, ...globals };
  const flags = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, flagOf(option)]));
  const aliases = Object.fromEntries(
    Object.entries(options).flatMap(([name, { short }]) => short === undefined ? [] : [[short, name]]),
  );
  const args = Object.values(command.args);
  const [first] = args;
  const positional = first?.times === "many"
    ? { kind: "array", parameter: positionalOf(first), minimum: first.atLeast }
    : { kind: "tuple", parameters: args.map(positionalOf) };
  return { flags, aliases, positional } as TypedCommandParameters<Flags, Words, StricliContext>;
}

function flagOf({ kind, help, value, required, fallback }: OptionSpec): object {
  if (value === null) return { kind: "boolean", brief: help, default: false, withNegated: false };
  return {
    kind: "parsed",
    brief: help,
    placeholder: value.shape,
    parse: value.parse,
    ...(kind === "values" ? { variadic: true } : {}),
    ...(fallback !== undefined ? { default: fallback } : required ? {} : { optional: true }),
  };
}

function positionalOf({ placeholder, help, value, times }: ArgSpec): object {
  return { brief: help, placeholder, parse: value.parse, ...(times === "optional" ? { optional: true } : {}) };
}

function inputOf(command: Command, flags: Flags, values: Words): Record<string, unknown> {
  const input: Record<string, unknown> = { ...flags };
  const args = Object.entries(command.args);
  args.forEach(([name, { times }], i) => input[name] = times === "many" ? values : values[i]);
  for (const [name, { kind }] of Object.entries(command.options)) if (kind === "values") input[name] ??= [];
  return input;
}

/** In our words: what is wrong, what was expected, and the likeliest right word. */
function explain(error: unknown, words: readonly string[]): string {
  return formatMessageForArgumentScannerError(error as ArgumentScannerError, {
    FlagNotFoundError: ({ input, corrections }) =>
      `unknown option --${input}${suggestion(corrections.map((name) => `--${optionName(name)}`))}`,
    AliasNotFoundError: ({ input }) => `unknown option -${input}`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, input, exception }) => {
      const reason = exception instanceof BadValue ? exception.message : "cannot be read";
      return `${/^[A-Z]/.test(name) ? name : `option --${name}`} ${quote(input)}: ${reason}`;
    },
    UnsatisfiedFlagError: ({ externalFlagName: name, nextFlagName }) =>
      words.includes(`--${name}`)
        ? `option --${name} needs a value` + (nextFlagName ? `, but --${nextFlagName} follows` : "")
        : `option --${name} is missing`,
    UnexpectedFlagError: ({ externalFlagName }) => `option --${externalFlagName} is given twice`,
    UnexpectedPositionalError: ({ input, expectedCount }) =>
      input.startsWith("-")
        ? `unknown option ${quote(input)}`
        : `too many arguments: ${quote(input)}${expectedCount === 0 ? " (this command takes none)" : ""}`,
    UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing`,
  });
}

function suggestion(names: readonly string[]): string {
  return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}

function quote(word: string): string {
  return `"${word}"`;
}
