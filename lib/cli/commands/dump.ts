/**
 * `prmig dump [DEV...]`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, flag, many } from "../command.ts";
import { DURATION } from "../values.ts";

export const dump = defineCommand({
  name: "dump",
  summary: "Show who holds a LUN and who is registered; changes nothing",
  description: `
Reads and shows a LUN's reservation, its registrations with the names of their initiator ports, what the device can do,
and which logical unit it is. Holders come first; our own registrations are marked where that can be told by reading
alone.

Devices are opened for reading, and no command is sent that could change anything. One device that cannot be read does
not keep the others from being shown; the exit code is that of the first failure.

With --json, each device is one object on one line: device, block, hctl, lun, generation, reservation, registrations,
capabilities, snooped. Keys are texts; "self" is null where it cannot be told.
`,
  changesLun: false,
  args: {
    devices: many("DEV", "/dev/sgN, /dev/sdX, /dev/disk/by-*, /dev/mapper/NAME or sim:FILE?nexus=NAME", { atLeast: 0 }),
  },
  options: {
    all: flag("every SCSI disk of this host; those without persistent reservations are named and left out"),
    timeout: fallback(DURATION, "10s", "limit of each SCSI command"),
  },
  exits: {
    failed: "the LUN is not ready, or changed at every reading",
    refused: "the LUN is reserved in the way of SPC-2, which hides everything else",
    device: "not SCSI, no persistent reservations, no permission, gone",
  },
  examples: [
    { line: "prmig dump /dev/sdb", does: "who holds this disk?" },
    {
      line: "prmig dump --all --json | jq -c '{device, holder: .reservation.key}'",
      does: "one line a disk, for a script",
    },
    { line: "prmig dump /dev/sg3 --timeout 2s -v", does: "every command and its answer, none longer than 2 seconds" },
    { line: "prmig dump 'sim:lun.json?nexus=A'", does: "a simulated LUN, as the nexus A sees it" },
  ],
  run: async (input, context) => (await import("../dump/run.ts")).runDump(input, context),
});
