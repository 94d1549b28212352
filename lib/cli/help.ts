/**
 * Help, derived from definitions: for one command, and for all of them.
 *
 * Pure. Man pages and completion derive from the same definitions, so that they cannot disagree.
 *
 * @module
 */
import { EXIT, type FailureKind, PrmigError } from "../errors.ts";
import { type Command, GLOBAL_OPTIONS, optionName, type OptionSpec } from "./command.ts";
import { definitionList, wrap, wrapText } from "./layout.ts";
import { TOPICS } from "./topics.ts";

const WIDTH = 80;

/** What the program is, in a sentence. */
export const TAGLINE =
  "prmig moves a SCSI-3 persistent reservation from one host to another, atomically, and puts it back if the move fails.";

/** `prmig --help`: what there is, and where to read on. */
export function programHelp(commands: readonly Command[]): string {
  return [
    ...wrap(TAGLINE, WIDTH),
    "",
    "Usage: prmig COMMAND [ARGUMENTS] [OPTIONS]",
    "",
    "Commands:",
    ...definitionList(commands.map(({ name, summary }) => [name, summary]), WIDTH),
    "",
    "Options of every command:",
    ...definitionList([...optionRows(GLOBAL_OPTIONS), ["--version", "show the version and nothing else"]], WIDTH),
    "",
    "Topics (prmig help TOPIC):",
    ...definitionList(Object.entries(TOPICS).map(([name, { summary }]) => [name, summary]), WIDTH),
    "",
    "First steps:",
    "  prmig demo                a move and a failed move on a simulated LUN",
    "  prmig dump /dev/sdX       who holds this LUN; changes nothing",
  ].join("\n");
}

/** `prmig help [TOPIC]`: a command, a topic, or everything. */
export function helpOn(topic: string | undefined, commands: readonly Command[]): string {
  if (topic === undefined) return programHelp(commands);
  const command = commands.find(({ name }) => name === topic);
  if (command) return commandHelp(command);
  if (Object.hasOwn(TOPICS, topic)) return wrapText(TOPICS[topic]!.text, WIDTH).join("\n");
  const topics = [...commands.map(({ name }) => name), ...Object.keys(TOPICS)].join(", ");
  throw new PrmigError("usage", {
    message: `there is no help on "${topic}"; there is on ${topics}`,
    lun: "not touched",
    remedy: "prmig help",
  });
}

/** `prmig COMMAND --help`. */
export function commandHelp(command: Command): string {
  const lines = [
    `prmig ${command.name}: ${command.summary}`,
    "",
    ...wrap(`Usage: ${usageLine(command)}`, WIDTH),
    "",
    ...wrapText(command.description, WIDTH),
  ];
  const args = Object.values(command.args);
  if (args.length > 0) {
    lines.push("", "Arguments:", ...definitionList(args.map(({ placeholder, help }) => [placeholder, help]), WIDTH));
  }
  const rows = [...optionRows(command.options), ...optionRows(GLOBAL_OPTIONS)];
  lines.push("", "Options:", ...definitionList(rows, WIDTH));
  lines.push("", "Exit codes:", ...definitionList(exitRows(command), WIDTH));
  lines.push("", "Examples:");
  for (const { line, does } of command.examples) lines.push(...wrap(does, WIDTH, "  # "), `  ${line}`, "");
  return lines.join("\n").trimEnd();
}

/** `prmig preempt DEV --key KEY --type TYPE [OPTIONS]`. */
export function usageLine(command: Command): string {
  const words = ["prmig", command.name];
  for (const { placeholder, times, atLeast } of Object.values(command.args)) {
    const word = times === "many" ? `${placeholder}...` : placeholder;
    words.push(atLeast === 0 ? `[${word}]` : word);
  }
  for (const [property, option] of Object.entries(command.options)) {
    if (option.required) words.push(`--${optionName(property)}`, option.value?.shape ?? "");
  }
  return [...words, "[OPTIONS]"].join(" ");
}

/** Options as terms and meanings. */
export function optionRows(options: Readonly<Record<string, OptionSpec>>): [term: string, meaning: string][] {
  return Object.entries(options).map(([property, option]) => {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const shape = option.value ? ` ${option.value.shape}` : "";
    const notes = [
      ...(option.required ? ["required"] : []),
      ...(option.kind === "values" ? ["may be repeated"] : []),
      ...(option.fallback === undefined ? [] : [`default ${option.fallback}`]),
    ];
    return [
      `${short}--${optionName(property)}${shape}`,
      option.help + (notes.length > 0 ? ` (${notes.join(", ")})` : ""),
    ];
  });
}

/** What an exit code means where a command does not say it in its own words. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done",
  failed: "failed, and the LUN is as before",
  usage: "wrong words on the command line",
  refused: "refused: the LUN's state is not what was expected",
  device: "the device cannot do it: not SCSI, no persistent reservations, no permission, gone",
  unsure: "outcome unknown, or recovery needed: the message says which command to run",
  interrupted: "interrupted, and the LUN is as before",
};

/** The exit codes a command ends with, in order. */
export function exitRows(command: Command): [code: string, meaning: string][] {
  const kinds = new Set<string>(["ok", "usage", ...Object.keys(command.exits)]);
  return (Object.keys(EXIT) as (keyof typeof EXIT)[])
    .filter((kind) => kinds.has(kind))
    .map((kind) => [String(EXIT[kind]), command.exits[kind as FailureKind] ?? EXIT_MEANINGS[kind]]);
}
