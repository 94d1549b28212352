/**
 * `prmig rollback`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, flag, one } from "../command.ts";
import { DURATION, text } from "../values.ts";

export const rollback = defineCommand({
  name: "rollback",
  summary: "Take reservations back that this host handed over, when the other host is dead",
  description: `
Takes back every LUN of a hand-over that this host began and that ended with the other host holding: registers this host
under the guest's key again and preempts the other host. The other host must not run the guest any more; its writes end
in RESERVATION CONFLICT from then on.

While the other host lives, hand back in the other direction instead: prmig send there, prmig recv here.

It is also the answer to a prmig recover that could not tell whether the guest was fenced, and ended with 5: nobody fenced
it. The answer counts for the LUNs as recover showed them; where they have changed since, nothing is done.

Where other nexuses share the guest's key, the other host cannot be told from them once it has settled; then nothing is
done, unless --evict-shared says that all of them may lose their registration.
`,
  changesLun: true,
  args: { handOver: one("HAND-OVER", "name of the hand-over, as send and recover --list show it", text("HAND-OVER")) },
  options: {
    evictShared: flag("also evict everybody else who shares the guest's key"),
    timeout: fallback(DURATION, "30s", "limit of every wait"),
  },
  exits: {
    failed: "not taken back; what the message says is true of the LUN",
    refused: "others share the key, a third party has preempted it, or a LUN has changed since recover asked",
    device: "a LUN of the journal cannot be opened",
    unsure: "interrupted in the middle; prmig recover goes on",
  },
  examples: [
    {
      line: "prmig rollback 6c07a0ef-0e0e-488b-b158-4380ac6afb75 --timeout 10s",
      does: "take the LUNs of a hand-over back from a host that died after it",
    },
    {
      line: "prmig rollback 6c07a0ef-0e0e-488b-b158-4380ac6afb75 --evict-shared",
      does: "the same although it evicts every node that shares the key",
    },
  ],
  run: async (input, context) => (await import("../recover/rollback.ts")).runRollback(input, context),
});
