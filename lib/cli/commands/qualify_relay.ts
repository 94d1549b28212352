/**
 * `prmig qualify-relay DEV`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, one } from "../command.ts";
import { DURATION } from "../values.ts";

export const qualifyRelay = defineCommand({
  name: "qualify-relay",
  summary: "Execute the scenarios of a prmig qualify on another host, on one device of this one",
  description: `
For prmig qualify on another host, which runs it by ssh: commands come in on stdin, one JSON object a line, and answers go
to stdout. It executes reservation commands, those of the scenarios, and those by which a LUN is looked at, on the device
that is named and no other, and refuses everything else. When the other end is gone, what was registered through this host
under a key of the scenarios is taken back.
`,
  changesLun: true,
  args: { device: one("DEV", "the scratch LUN, through this host's nexus") },
  options: { silence: fallback(DURATION, "2m", "take the other end for dead when nothing comes for so long") },
  exits: {
    failed: "the other end is gone, or says what is no command; what was registered here is taken back",
    device: "not SCSI, no permission, gone",
    unsure: "what was registered here could not be taken back; the next prmig qualify does it",
    interrupted: "interrupted; what was registered here is taken back",
  },
  examples: [{
    line: "ssh dst prmig qualify-relay /dev/sdb --silence 5m",
    does: "what prmig qualify ssh:dst:/dev/sdb runs",
  }],
  run: async (input, context) => (await import("../qualify/relay.ts")).runQualifyRelay(input, context),
});
