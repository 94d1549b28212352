/**
 * The manual pages that are about all commands: prmig(8), what there is, and prmig(7), what one should know.
 *
 * Pure.
 *
 * @module
 */
import { type Command, GLOBAL_OPTIONS } from "../../lib/cli/command.ts";
import { optionRows, TAGLINE } from "../../lib/cli/help.ts";
import { TOPICS } from "../../lib/cli/topics.ts";
import type { Release } from "../release.ts";
import { COMMAND_SECTION, seeAlsoLine } from "./command_page.ts";
import { bold, definition, inline, italic, line, pageHead, paragraphs, section } from "./roff.ts";

/** prmig(8). */
export function programPage(commands: readonly Command[], release: Release): string {
  return [
    pageHead({ name: "prmig", section: COMMAND_SECTION, manual: "System administration", ...release }),
    section("Name", "prmig \\- move SCSI\\-3 persistent reservations from one host to another"),
    section(
      "Synopsis",
      `${bold("prmig")}\n${italic("COMMAND")}\n[${italic("ARGUMENTS")}]\n[${italic("OPTIONS")}]`,
    ),
    section(
      "Description",
      paragraphs(`${TAGLINE}\n\nEach command has a manual page of its own, and \`prmig help\` shows the same offline.`),
    ),
    section(
      "Commands",
      ...commands.map(({ name, summary }) =>
        `.TP\n${line(bold(name))}\n${inline(summary)}; see\n${bold(`prmig-${name}`)}(8)`
      ),
    ),
    section(
      "Options",
      ...optionRows(GLOBAL_OPTIONS).map(([term, meaning]) => definition(term, meaning)),
      definition("--version", "show the version and nothing else"),
    ),
    ...["exit-codes", "files"].map(topicSection),
    section(
      "See also",
      seeAlsoLine([...commands.map(({ name }) => `prmig-${name}(8)`), "prmig-stream(5)", "prmig(7)"]),
    ),
    "",
  ].join("\n");
}

/** prmig(7): every topic of `prmig help`, a section each. */
export function overviewPage(release: Release): string {
  return [
    pageHead({ name: "prmig", section: 7, manual: "Miscellaneous information", ...release }),
    section("Name", "prmig \\- persistent reservations, and how they are handed over"),
    ...Object.keys(TOPICS).map(topicSection),
    section("See also", seeAlsoLine(["prmig(8)", "prmig-stream(5)"])),
    "",
  ].join("\n");
}

function topicSection(name: string): string {
  const { title, text } = TOPICS[name]!;
  return section(title, paragraphs(text));
}
