/**
 * `prmig watch DEV...`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, flag, many, optional } from "../command.ts";
import { DURATION } from "../values.ts";
import { CONDITION, POLL } from "../watch/words.ts";

export const watch = defineCommand({
  name: "watch",
  summary: "Follow a LUN's reservations as they change, and see who changes them",
  description: `
Shows every change of a LUN's registrations and reservation as it happens. Where the kernel can be traced (root, tracefs),
every PERSISTENT RESERVE OUT that this host sends is shown within milliseconds, with its keys, its status, and the
program that sent it, failed ones included; nothing is sent to the LUN for that. What other hosts do is seen by reading
the LUN once a second, and at once when a command here meets a conflict or a unit attention; before and after are
compared, and the difference explained.

Where the kernel cannot be traced, watch says so and why, and reads the LUN only: then it cannot tell who sent a command,
nor see attempts that failed, nor what came and went between two readings.

On a terminal it draws a live view: arrow keys and Page Up/Down scroll the history, q ends, and the history stays on the
screen. Elsewhere it prints a line an event, and with --json an object an event.

With --until it ends as soon as a condition holds, on every LUN named: ${CONDITION.shape} is one of key=K, no-key=K,
holder=K, no-holder, holder, type=T, registrant=TEXT, no-registrant=TEXT (TEXT: a part of the initiator's name), several
joined by commas when all must hold.
`,
  changesLun: false,
  stopsItself: true,
  args: {
    devices: many("DEV", "/dev/sgN, /dev/sdX, /dev/disk/by-*, /dev/mapper/NAME or sim:FILE?nexus=NAME"),
  },
  options: {
    poll: fallback(POLL, "1s", "how often to read the LUN; 0: only when an event asks for it"),
    once: flag("show how the LUN is now, and end"),
    until: optional(CONDITION, "end with exit code 0 as soon as this holds"),
    timeout: optional(DURATION, "end after this time: with exit code 1 when --until has not come true, else 0"),
  },
  exits: {
    failed: "--until has not come true in time, or somebody turned the tracing off that watch relied on",
    device: "no LUN of those named can be opened, or there is nothing to watch with (no tracing, and --poll 0)",
    interrupted: "ended by Ctrl-C or a signal; nothing is left behind in the kernel",
  },
  examples: [
    { line: "prmig watch /dev/sg3", does: "who takes this LUN?" },
    {
      line: "prmig watch /dev/sdb /dev/sdc --json --poll 0 >events.ndjson",
      does: "kernel events alone, for a post-mortem",
    },
    { line: "prmig watch /dev/sdb --until no-key=0x123abc --timeout 30s", does: "wait until a host has been fenced" },
    { line: "prmig watch 'sim:lun.json?nexus=A' --once", does: "how it is now" },
  ],
  run: async (input, context) => (await import("../watch/run.ts")).runWatch(input, context),
});
