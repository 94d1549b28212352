/**
 * `prmig recover`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, flag, maybe } from "../command.ts";
import { DURATION, text } from "../values.ts";

export const recover = defineCommand({
  name: "recover",
  summary: "Finish or undo interrupted hand-overs of this host, from the journal and the LUN",
  description: `
Reads the journals of hand-overs that ended before they were finished (power cut, kill, lost LUN), reads what their LUNs
show, and finishes or undoes each. Says what it saw and what it did. Run it on both hosts, in any order, as often as you
like; a host that never comes back does not keep the other from recovering.

On the source: where the destination holds everything, the journal is closed; otherwise this host takes its key back. On
the destination: where the source stands under its one-time key, this host takes; where this host holds, it settles;
otherwise it unregisters, once the source's right to commit has surely ended.

A source that was stopped while it evicted the destination may have to ask whether the guest was fenced; the message says how to
answer.
`,
  changesLun: true,
  args: { handOver: maybe("HAND-OVER", "name of one hand-over; all of this host without it", text("HAND-OVER")) },
  options: {
    list: flag("show the journals of hand-overs in flight, change nothing"),
    timeout: fallback(DURATION, "30s", "limit of every wait for the other side"),
  },
  exits: {
    failed: "a LUN cannot be read, or a command had no effect; the journal stays open",
    refused: "the guest was fenced meanwhile, and stays so; or another prmig is at work on the hand-over",
    device: "a LUN of the journal cannot be opened",
    unsure:
      "the other side has to act first, or a person has to say whether the guest was fenced; the message says how",
  },
  examples: [
    { line: "prmig recover", does: "finish or undo everything that was interrupted on this host" },
    { line: "prmig recover --list", does: "see what there is to recover" },
    { line: "prmig recover 6c07a0ef-0e0e-488b-b158-4380ac6afb75 --timeout 5s", does: "recover one hand-over" },
  ],
  run: async (input, context) => (await import("../recover/run.ts")).runRecover(input, context),
});
