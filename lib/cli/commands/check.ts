/**
 * `prmig check SRC [-- DST]`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, maybe, one } from "../command.ts";
import { DURATION } from "../values.ts";

export const check = defineCommand({
  name: "check",
  summary: "Say whether a LUN's reservation can be handed over, and what stands in the way",
  description: `
Looks at everything a hand-over needs, without beginning one: that the LUN has a name and persistent reservations, which
types, whether registrations survive a loss of power, whether this host is registered and under which key, who shares that
key, that no earlier hand-over was left unfinished, the paths of a multipath map, permissions, whether the kernel can be
traced. Opens devices for reading, and sends nothing that could change a LUN.

DST is the destination's view: another device of this host, or, if it has blanks in it, a command that dumps the LUN on the
other host; --json is added to it. Then the LUNs are compared, too.

Says yes or no, and for each finding one thing to do. With --json it is one object: device, destination, lun, verdict, and
findings with about, level (ok, warning, no), says and remedy.
`,
  changesLun: false,
  args: {
    source: one("SRC", "the LUN, through the nexus that is to hand over"),
    destination: maybe("DST", "the same LUN from the other side: a device, or a command in quotes"),
  },
  options: { timeout: fallback(DURATION, "10s", "limit of each SCSI command") },
  exits: {
    refused: "no: the LUN's state is not fit for a hand-over",
    device: "no: a device cannot do it, or cannot be looked at",
  },
  examples: [
    { line: "prmig check /dev/sdb", does: "can this host hand over what it holds?" },
    {
      line: "prmig check /dev/sdb -- 'ssh dst prmig dump /dev/sdb'",
      does: "and can the host dst take it?",
    },
    {
      line: "prmig check 'sim:lun.json?nexus=A' 'sim:lun.json?nexus=B' --timeout 2s --json | jq -r .verdict",
      does: "both sides simulated, for a script",
    },
  ],
  run: async (input, context) => (await import("../check/run.ts")).runCheck(input, context),
});
