/**
 * Every manual page there is, by file name.
 *
 * @module
 */
import { COMMANDS } from "../../lib/cli/commands.ts";
import type { Release } from "../release.ts";
import { COMMAND_SECTION, commandPage, seeAlsoLine } from "./command_page.ts";
import { markdownSections } from "./markdown.ts";
import { overviewPage, programPage } from "./program_page.ts";
import { pageHead, section } from "./roff.ts";

const STREAM = new URL("../../docs/stream-format.md", import.meta.url);
const VIRSH = new URL("../../packaging/libvirt/prmig-virsh-migrate.md", import.meta.url);

/** Pages as roff, `prmig.8` first. */
export function manualPages(release: Release): Map<string, string> {
  const pages = new Map([[`prmig.${COMMAND_SECTION}`, programPage(COMMANDS, release)]]);
  for (const command of COMMANDS) {
    pages.set(`prmig-${command.name}.${COMMAND_SECTION}`, commandPage(command, release, seeAlso(command.name)));
  }
  pages.set(`prmig-virsh-migrate.${COMMAND_SECTION}`, virshPage(release));
  pages.set("prmig-stream.5", streamPage(release));
  pages.set("prmig.7", overviewPage(release));
  return pages;
}

/** The commands one who reads of this one is likely to need, and what is of use to all. */
function seeAlso(name: string): string[] {
  const near = COMMANDS.filter((other) => other.name !== name && relatives(name).includes(other.name));
  const stream = ["send", "recv"].includes(name) ? ["prmig-stream(5)"] : [];
  return ["prmig(8)", ...near.map((other) => `prmig-${other.name}(8)`), ...stream, "prmig(7)"];
}

/** Commands that name each other in their descriptions or remedies belong together. */
function relatives(name: string): string[] {
  const text = (command: typeof COMMANDS[number]): string =>
    [command.description, ...Object.values(command.exits), ...command.examples.map(({ line }) => line)].join(" ");
  const own = COMMANDS.find((command) => command.name === name)!;
  const mentions = (where: string, other: string): boolean => new RegExp(`\\bprmig ${other}\\b`).test(where);
  return COMMANDS.filter((other) => mentions(text(own), other.name) || mentions(text(other), name))
    .map((other) => other.name);
}

/** prmig-stream(5): docs/stream-format.md, which is the specification. */
function streamPage(release: Release): string {
  const { sections } = markdownSections(Deno.readTextFileSync(STREAM));
  return [
    pageHead({ name: "prmig-stream", section: 5, manual: "File formats", ...release }),
    section("Name", "prmig\\-stream \\- what prmig send and prmig recv say to each other"),
    ...sections,
    section("See also", seeAlsoLine(["prmig-send(8)", "prmig-recv(8)", "prmig(7)"])),
    "",
  ].join("\n");
}

/** prmig-virsh-migrate(8): the script for libvirt, which is no command of prmig and has a page beside it. */
function virshPage(release: Release): string {
  const { title, sections } = markdownSections(Deno.readTextFileSync(VIRSH));
  const [name, summary] = title.split(": ") as [string, string];
  return [
    pageHead({ name, section: COMMAND_SECTION, manual: "System administration", ...release }),
    section("Name", `${name.replaceAll("-", "\\-")} \\- ${summary}`),
    ...sections,
    section("See also", seeAlsoLine(["prmig-migrate(8)", "prmig-send(8)", "prmig-recover(8)", "prmig(7)"])),
    "",
  ].join("\n");
}
