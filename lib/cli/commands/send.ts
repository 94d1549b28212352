/**
 * `prmig send DEV...`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, many, optional } from "../command.ts";
import { DURATION, KEY, METHOD, text } from "../values.ts";

export const send = defineCommand({
  name: "send",
  summary: "Hand reservations over to another host: the source's side",
  description: `
Offers what this host holds on each LUN, waits until prmig recv on the other host is registered, and lets it take the
reservation by a one-time key, so that exactly this host's registration is preempted and nobody else's. The guest must
stand still from the commit on. If anything fails, this host has its key back and the LUN is as before.

Over a pipe (the default) the stream runs one way, and both sides signal to each other through the LUN. With --to or
--connect they talk. Either way send ends with 0 only when the LUN shows that the other host holds.
`,
  changesLun: true,
  args: { devices: many("DEV", "the LUN, through this host's nexus; several LUNs move all or none") },
  options: {
    to: optional(text("COMMAND"), "run COMMAND with the stream on its stdin and stdout"),
    connect: optional(text("ADDR"), "connect to prmig recv --listen: unix:PATH or tcp:HOST:PORT"),
    method: fallback(
      METHOD,
      "token",
      "token, or plain for a destination that cannot follow it: what QEMU 11 does, for reservations with one holder only",
    ),
    key: optional(KEY, "the guest's key, where the host cannot find its own registration"),
    tlsCert: optional(text("FILE"), "this host's certificate (PEM), for tcp: beyond this host"),
    tlsKey: optional(text("FILE"), "its private key"),
    tlsCa: optional(text("FILE"), "the authority that must have signed the other side's certificate"),
    timeout: fallback(DURATION, "30s", "limit of every wait for the other side"),
  },
  exits: {
    failed: "not handed over; the LUN is as before",
    refused: "this host is not registered, was fenced, or stands under another key; the other side refused",
    device: "not SCSI, no persistent reservations, no permission, gone",
    unsure: "interrupted in the middle; prmig recover finishes or undoes it",
    interrupted: "interrupted; the LUN is as before",
  },
  examples: [
    { line: "prmig send /dev/sdb | ssh dst prmig recv", does: "move the reservation of one LUN to host dst" },
    {
      line: "prmig send /dev/sdb /dev/sdc --to 'ssh dst prmig recv' --timeout 2m",
      does: "move two LUNs, both or none, talking both ways",
    },
    {
      line: "prmig send /dev/sdb --method plain --to 'ssh dst prmig recv'",
      does: "let the destination preempt the guest's own key, as QEMU 11 does it",
    },
    {
      line: "prmig send /dev/sg3 --key 0x123abc --connect unix:/run/prmig/hand-over.sock",
      does: "name the key where the host cannot tell it, over a socket",
    },
    {
      line:
        "prmig send /dev/sdb --connect tcp:dst.example.net:4710 --tls-cert host.pem --tls-key host.key --tls-ca ca.pem",
      does: "over an open network, with certificates on both sides",
    },
  ],
  run: async (input, context) => (await import("../send/run.ts")).runSend(input, context),
});
