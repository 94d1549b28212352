/**
 * The manual page of one command, from its definition: the very data `--help` is made from.
 *
 * Pure.
 *
 * @module
 */
import { type Command, GLOBAL_OPTIONS, optionName, type OptionSpec } from "../../lib/cli/command.ts";
import { exitRows, optionRows } from "../../lib/cli/help.ts";
import type { Release } from "../release.ts";
import { bold, definition, inline, italic, line, pageHead, paragraphs, section, verbatim } from "./roff.ts";

/** Section of the manual the commands are in: they need privileges, or are daemons. */
export const COMMAND_SECTION = 8;
const MANUAL = "System administration";

/** `prmig-dump(8)` as roff. */
export function commandPage(command: Command, release: Release, seeAlso: readonly string[]): string {
  const { name, summary, description, args, options, examples } = command;
  const rows = Object.values(args);
  return [
    pageHead({ name: `prmig-${name}`, section: COMMAND_SECTION, manual: MANUAL, ...release }),
    section("Name", `prmig\\-${name} \\- ${inline(lowerFirst(summary))}`),
    section("Synopsis", synopsis(command)),
    section("Description", paragraphs(description)),
    ...(rows.length === 0
      ? []
      : [section("Arguments", ...rows.map(({ placeholder, help }) => definition(placeholder, help)))]),
    section(
      "Options",
      ...optionRows(options).map(([term, meaning]) => definition(term, meaning)),
      ...optionRows(GLOBAL_OPTIONS).map(([term, meaning]) => definition(term, meaning)),
    ),
    section("Exit status", ...exitRows(command).map(([code, meaning]) => definition(code, meaning))),
    section("Examples", ...examples.map(({ line, does }) => `.PP\n${inline(sentence(does))}\n${verbatim(line)}`)),
    section("See also", seeAlsoLine(seeAlso)),
    "",
  ].join("\n");
}

/** Names as `prmig(8), prmig-recv(8)`. */
export function seeAlsoLine(names: readonly string[]): string {
  return line(
    names.map((name) => {
      const [, page, part] = /^(\S+)\((\d)\)$/.exec(name)!;
      return `${bold(page!)}(${part})`;
    }).join(",\n"),
  );
}

function synopsis({ name, args, options }: Command): string {
  const words = [bold(`prmig ${name}`)];
  for (const { placeholder, times, atLeast } of Object.values(args)) {
    const word = italic(placeholder) + (times === "many" ? "..." : "");
    words.push(atLeast === 0 ? `[${word}]` : word);
  }
  for (const [property, option] of Object.entries(options)) {
    const word = optionWord(property, option);
    words.push(option.required ? word : `[${word}]`);
  }
  return words.join("\n");
}

function optionWord(property: string, { value }: OptionSpec): string {
  return bold(`--${optionName(property)}`) + (value === null ? "" : ` ${italic(value.shape)}`);
}

function lowerFirst(text: string): string {
  return text[0]!.toLowerCase() + text.slice(1);
}

function sentence(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ":");
}
