/**
 * `prmig demo`: its definition.
 *
 * @module
 */
import { defineCommand } from "../command.ts";

export const demo = defineCommand({
  name: "demo",
  summary: "Show a move and a failed move on a simulated LUN; no hardware, no root",
  description: `
Plays two hosts and a cluster peer on a simulated LUN: a reservation moves from one host to the other, and a move whose
destination dies is undone. Shows the LUN before and after each, and every PERSISTENT RESERVE OUT. Touches no device.

Ends with 0 only if everything happened as told.
`,
  changesLun: false,
  args: {},
  options: {},
  exits: { failed: "something was not as told: prmig does not work here" },
  examples: [{ line: "prmig demo", does: "see what prmig does" }],
  run: async (input, context) => (await import("../demo/run.ts")).runDemo(input, context),
});
