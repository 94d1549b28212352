/**
 * The words, and the one idea behind a hand-over. Pure data.
 *
 * @module
 */
import type { Topic } from "./topic.ts";

export const concepts: Topic = {
  summary: "reservations, registrations, and how a hand-over works",
  title: "Concepts",
  text: `
An I_T nexus is one initiator port of a host talking to one target port. Reservations and registrations belong to a
nexus, not to a host and not to a virtual machine: that is why a guest loses its reservation when it moves.

A nexus registers a reservation key with a LUN. A registered nexus may reserve the LUN with one of six types; then it is
the holder, and others may not write, or not even read. A registered nexus may also preempt: remove the registrations
under another key, and take the reservation if one of them held it. PRGENERATION counts changes of registrations. With
APTPL registrations survive a loss of power.

A hand-over moves a registration and the reservation from one nexus to another:

  offer    the source reads the LUN and says what it holds
  prepare  the destination registers the same key
  commit   the source changes its own key to a one-time key, the commit token
  take     the destination preempts exactly that token
  verify   both read the LUN and say the same

The LUN is never unreserved on the way, and nobody else's registration is touched. Until the take everything can be
undone, and is, when anything fails. A commit token begins with the letters prmg (0x70726d67), so that it can be told
from other keys; where one is left behind, \`prmig recover\` knows what to do with it.
`,
};
