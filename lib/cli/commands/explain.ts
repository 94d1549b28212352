/**
 * `prmig explain HEX...`: its definition.
 *
 * @module
 */
import { defineCommand, many, optional } from "../command.ts";
import { KIND } from "../explain/values.ts";
import { text } from "../values.ts";

export const explain = defineCommand({
  name: "explain",
  summary: "Decode reservation commands, their data, and sense from hex or log lines",
  description: `
Takes hex bytes in any grouping, or lines of the kernel's log and traces, from the command line or from stdin, and says
what they mean: PERSISTENT RESERVE command blocks, parameter lists, the data they read, TransportIDs, status, sense data.
Touches no device.

A command block may be followed by its parameter list or its data. Bytes by themselves are judged by their looks; --as
says what they are: cdb, sense, capabilities, full-status, reservation, keys, transport-id, parameters,
move-parameters, key, status, other-cdb. From a log, lines without SCSI in them are left out.

With --json, each explanation is one object on one line; "kind" tells which fields it has.
`,
  changesLun: false,
  args: {
    words: many("HEX", "hex bytes, or a line of a log; nothing or - reads stdin", { atLeast: 0, value: text("HEX") }),
  },
  options: { as: optional(KIND, "what the bytes are, where their looks do not tell") },
  exits: {},
  examples: [
    { line: "prmig explain 5f 04 05 00 00 00 00 00 18 00", does: "a PREEMPT, as a trace shows it" },
    { line: "prmig explain 70 00 06 00 00 00 00 0a 00 00 00 00 2a 05 00 00 00 00", does: "sense data" },
    { line: "prmig explain 06/2A/05", does: "the short form of it" },
    { line: "dmesg | prmig explain", does: "what the kernel's log says of reservations" },
    {
      line:
        "prmig explain 'sd 0:0:1:0: [sda] tag#790 CDB: Persistent reserve out, register 5f 00 00 00 00 00 00 00 18 00'",
      does: "one line of it",
    },
    { line: "prmig explain --as keys 00000002 00000008 0000000000123abc --json", does: "READ KEYS data, for a script" },
  ],
  run: async (input, context) => (await import("../explain/run.ts")).runExplain(input, context),
});
