/**
 * What to do when a LUN answers RESERVATION CONFLICT, in short. The long form is docs/reservation-conflict.md. Pure data.
 *
 * @module
 */
import type { Topic } from "./topic.ts";

export const conflict: Topic = {
  summary: "what to do when a LUN answers RESERVATION CONFLICT",
  title: "Reservation conflicts",
  text: `
RESERVATION CONFLICT means: the LUN is reserved, and this nexus may not do what it asked for. The command was not
executed, and repeating it will not help. Look first:

  prmig dump /dev/sdX

Nobody is registered, and there is no reservation: it is gone already. Try again.

This host is registered and holds: what was refused came through another path. Look at every path of the LUN
(multipath), or name the map: \`prmig dump /dev/mapper/NAME\`.

This host is registered, another holds: with types 5 to 8 a registrant may read and write; with types 1 and 3 only the
holder may. If the holder is alive, it is meant to be so. If it is dead for certain: \`prmig preempt\`.

This host is not registered: it never was, or it was fenced. What a cluster fenced must not be registered by hand: start
the node the way the cluster wants it.

One key begins with 0x70726d67: a hand-over was interrupted. \`prmig recover\` on both hosts finishes or undoes it.

A virtual machine moved, and the old host still holds: nothing handed the reservation over. Hand it over now:
\`prmig send /dev/sdX | ssh NEW-HOST prmig recv\` on the old host.

To see who sends what: \`prmig watch /dev/sdX\`. To decode what the kernel logged: \`dmesg | prmig explain\`.
`,
};
