/**
 * `prmig help [TOPIC]`: the help of a command, or of what concerns several.
 *
 * @module
 */
import { defineCommand, maybe } from "../command.ts";
import { text } from "../values.ts";

export const help = defineCommand({
  name: "help",
  summary: "Show help on a command or a topic",
  description: "Without a word it lists the commands and topics; `prmig help dump` is `prmig dump --help`.",
  changesLun: false,
  args: { topic: maybe("TOPIC", "a command, or one of the topics that `prmig help` lists", text("a topic")) },
  options: {},
  exits: {},
  examples: [
    { line: "prmig help dump", does: "how to use dump" },
    { line: "prmig help exit-codes", does: "what the exit status tells a script" },
  ],
  run: ({ topic }, { out, help }) => Promise.resolve(out.line(help(topic))),
});
