/**
 * `prmig preempt DEV --key K --type T`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, one, optional, required } from "../command.ts";
import { DURATION, KEY, PR_TYPE } from "../values.ts";

export const preempt = defineCommand({
  name: "preempt",
  summary: "Remove a key from a LUN and take the reservation it holds; one command, no questions",
  description: `
Sends one PERSISTENT RESERVE OUT, PREEMPT: every registration under KEY is removed, and where KEY holds the reservation,
this nexus holds it afterwards, with the given type. This nexus must be registered, under another key.

The LUN is read before and after. Nothing is sent when KEY is not registered or is our own. When no answer comes, the LUN
is read until it tells what happened; the command is never repeated.

Whoever is removed learns of it by a unit attention, and its writes end in RESERVATION CONFLICT from then on.
`,
  changesLun: true,
  args: { device: one("DEV", "the LUN, through the nexus that is to preempt") },
  options: {
    key: required(KEY, "the key to remove"),
    type: required(PR_TYPE, "the type of the reservation afterwards, if KEY holds it: 5 or WE-RO, for example"),
    ownKey: optional(KEY, "the key of this nexus, where the host cannot tell it by itself"),
    timeout: fallback(DURATION, "30s", "limit of each SCSI command"),
  },
  exits: {
    failed: "the command did not take effect",
    refused: "KEY is not registered, or is our own; this nexus is not registered; or another was faster",
    device: "not SCSI, no persistent reservations, no permission, gone",
    unsure: "neither an answer nor the LUN tells whether KEY was removed",
  },
  examples: [
    {
      line: "prmig preempt /dev/sdb --key 0x123abc --type WE-RO",
      does: "evict the host that holds the LUN with key 0x123abc",
    },
    {
      line: "prmig preempt /dev/sg3 --key 0x123abc --type 5 --own-key 0x456def --timeout 10s",
      does: "the same where the host cannot tell which key is its own",
    },
  ],
  run: async (input, context) => (await import("../preempt/run.ts")).runPreempt(input, context),
});
