/**
 * `prmig recv [DEV...]`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, flag, many, optional } from "../command.ts";
import { DURATION, text } from "../values.ts";

export const recv = defineCommand({
  name: "recv",
  summary: "Take reservations over from another host: the destination's side",
  description: `
Reads the stream of prmig send, finds the offered LUNs on this host by their designators, registers the guest's key,
waits until the source commits, and takes the reservation. The whole stream is checked before anything is sent to a LUN.

Ends with 0 only when the LUN shows that this host holds. If the hand-over does not happen, nothing of this host stays
registered.
`,
  changesLun: true,
  args: {
    devices: many("DEV", "the LUNs on this host, in the source's order; without any they are found", { atLeast: 0 }),
  },
  options: {
    listen: optional(text("ADDR"), "take the stream from the first peer on unix:PATH or tcp:HOST:PORT, not from stdin"),
    dryRun: flag("check the stream and the LUNs, send no PERSISTENT RESERVE OUT, say what would be done"),
    tlsCert: optional(text("FILE"), "this host's certificate (PEM), for tcp: beyond this host"),
    tlsKey: optional(text("FILE"), "its private key"),
    tlsCa: optional(text("FILE"), "the authority that must have signed the other side's certificate"),
    timeout: fallback(DURATION, "30s", "limit of every wait for the other side"),
  },
  exits: {
    failed: "not taken over; nothing of this host is registered",
    refused: "a bad stream, another LUN, a LUN not as offered, this host registered already, or the guest was fenced",
    device: "not SCSI, no persistent reservations, no permission, gone",
    unsure: "the source went away in the middle; prmig recover finishes or undoes it",
    interrupted: "interrupted; nothing of this host is registered",
  },
  examples: [
    { line: "prmig send /dev/sdb | ssh dst prmig recv", does: "what it is for" },
    { line: "prmig send /dev/sda | prmig recv /dev/sdb", does: "between two nexuses of one host, named" },
    {
      line: "prmig recv --listen unix:/run/prmig/hand-over.sock --timeout 10m",
      does: "wait for prmig send --connect on a socket that only this user can open",
    },
    { line: "prmig recv --dry-run < offer.ndjson", does: "check whether a saved offer would be accepted now" },
    {
      line: "prmig recv --listen tcp:0.0.0.0:4710 --tls-cert host.pem --tls-key host.key --tls-ca ca.pem",
      does: "over an open network, with certificates on both sides",
    },
  ],
  run: async (input, context) => (await import("../recv/run.ts")).runRecv(input, context),
});
