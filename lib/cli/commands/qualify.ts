/**
 * `prmig qualify DEV_A DEV_B [DEV_C]`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, many, optional } from "../command.ts";
import { DURATION, text } from "../values.ts";

export const qualify = defineCommand({
  name: "qualify",
  summary: "Try on a scratch LUN whether an array does all that moving reservations needs",
  description: `
Plays some hundred scenarios on one LUN through two or three nexuses: every reservation command, who may read and write
under every type, unit attentions, power-loss settings, and the whole hand-over with a third party looking on. Says what
passes, what does not, what that means for a migration, and ends with one verdict: fit, fit with limits, or unfit. With
two nexuses only, scenarios that need a third are not run, and named.

Each DEV is the same LUN through another initiator or another target port: a device of this host, or ssh:HOST:DEV, a device
of another host, on which prmig is started by ssh (prmig qualify-relay).

The LUN must be one that nobody needs: the scenarios register, reserve, preempt and clear, write and unmap block 1, and start
the unit. Refused are LUNs that somebody is registered with, that are mounted, swapped to, partitioned, below another volume,
or hold a file system; devices that are not the same LUN; devices that are one and the same nexus. --scratch, with the
designator of the LUN, overrides registrations, partitions and file systems, and nothing else.

However it ends, the LUN is left without a registration of the scenarios: they have fixed keys that begin with 0x70726d67
("prmg" in ASCII). What a killed run has left, the next one takes away, and says so. Registrations under other keys are
never touched unless --scratch says so.
`,
  changesLun: true,
  args: { devices: many("DEV", "the LUN through one nexus; two or three of them", { atLeast: 2 }) },
  options: {
    scratch: optional(
      text("DESIGNATOR"),
      "the LUN with this designator (prmig dump) is a scratch LUN, whatever it holds",
    ),
    junit: optional(text("FILE"), "write the results as JUnit XML, too"),
    html: optional(text("FILE"), "write a report with every command sent, as one HTML file"),
    ssh: fallback(
      text("COMMAND"),
      "ssh -o ServerAliveInterval=5",
      "how ssh:HOST:DEV is reached: run by the shell, with the host and the command to run there behind it",
    ),
    timeout: fallback(DURATION, "30s", "limit for another host to answer at all"),
  },
  exits: {
    failed: "fit with limits: each is named, with what it means; or a report could not be written",
    refused: "not played: this may be no scratch LUN, or the devices are not several nexuses of one LUN",
    device: "unfit; or a device is not SCSI, has no persistent reservations, no permission, is gone",
    unsure: "the LUN could not be tidied up; the next run does it",
    interrupted: "interrupted; the LUN is tidied up",
  },
  examples: [
    {
      line: "prmig qualify /dev/sdb /dev/sdc /dev/sdd",
      does: "three paths of this host, through different initiators",
    },
    {
      line: "prmig qualify /dev/sdb ssh:dst:/dev/sdb --html report.html --junit report.xml",
      does: "this host and another, with a report for the vendor of the array",
    },
    {
      line: "prmig qualify /dev/sdb ssh:dst:/dev/sdc --ssh 'ssh -p 2222' --timeout 1m --scratch naa.6001405a0a0a0a00",
      does: "a LUN that holds something nobody needs; ssh on another port",
    },
    {
      line:
        "prmig qualify 'sim:l.json?nexus=A&create' 'sim:l.json?nexus=B' 'sim:l.json?nexus=C' --json | jq -r .verdict",
      does: "a simulated LUN, for a script",
    },
  ],
  run: async (input, context) => (await import("../qualify/run.ts")).runQualify(input, context),
});
