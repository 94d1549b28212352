/**
 * `prmig timeline FILE...`: its definition.
 *
 * @module
 */
import { defineCommand, many, optional } from "../command.ts";
import { text } from "../values.ts";

export const timeline = defineCommand({
  name: "timeline",
  summary: "Draw recorded events: who held which LUN when, for a post-mortem",
  description: `
Reads events as \`prmig watch --json\` and \`prmig snoop\` write them, and draws for every LUN who was registered under which
key, who held it, how it went from one to the other, which commands were sent, and which of them failed or met a
conflict. Times in which the LUN could not be read are hatched. Several files (of several hosts, say) become one picture;
a LUN is known by its designator.

The output is an SVG picture, or an HTML page with the picture and a table of all events; neither needs anything else, and
a browser shows details under the pointer. Without --output the picture goes to standard output.
`,
  changesLun: false,
  args: { files: many("FILE", "events, one JSON object a line; - for standard input", { value: text("FILE") }) },
  options: {
    output: { ...optional(text("FILE"), "where to write: a name that ends in .svg or .html"), short: "o" },
  },
  exits: { failed: "a file cannot be read or written, or holds no events" },
  examples: [
    { line: "prmig timeline events.ndjson -o out.svg", does: "a picture" },
    { line: "prmig timeline host-a.ndjson host-b.ndjson --output out.html", does: "two hosts on one page" },
  ],
  run: async (input, context) => (await import("../timeline/run.ts")).runTimeline(input, context),
});
