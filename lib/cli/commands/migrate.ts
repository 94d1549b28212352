/**
 * `prmig migrate`: its definition.
 *
 * @module
 */
import { defineCommand, fallback, optional, repeated, required } from "../command.ts";
import { DURATION, GATE, KEY, text } from "../values.ts";

export const migrate = defineCommand({
  name: "migrate",
  summary: "Live-migrate a QEMU guest together with its reservations",
  description: `
Asks the running QEMU for its passed-through disks, hands over those on which this host is registered, sends the guest, and
moves the reservations at the one moment at which nobody needs them. The guest goes on writing at the destination; it needs
no patch, and neither does QEMU (2.11 and later). If anything fails, the reservations come back and the guest goes on here.

The destination QEMU waits for the guest (-incoming defer -S is best), and prmig recv is started beside it. With --dst-qmp
both guests stand still while the reservations move, so that everything can be undone until the end; without it prmig
chooses by the type of the reservation. prmig migrate says which gate it takes, and why.

Where QEMU 11 moves the reservation itself (migrate-pr on at both ends), prmig only watches, and verifies.
`,
  changesLun: true,
  args: {},
  options: {
    qmp: required(text("SOCK"), "QMP socket of the running QEMU"),
    to: required(
      text("WAY"),
      "the other host: 'ssh dst', or a whole command ('ssh dst prmig recv ...'), or unix:PATH or tcp:HOST:PORT of a listening recv",
    ),
    dstQmp: optional(
      text("SOCK"),
      "QMP socket of the destination QEMU on the other host; unix:PATH for one of this host; exec:COMMAND for any other way",
    ),
    uri: optional(text("URI"), "where QEMU sends the guest: tcp:HOST:PORT; found by itself where --dst-qmp tells"),
    gate: optional(GATE, "when the reservations move: paused, completed or switchover; chosen by itself"),
    disk: repeated(text("ID=DEV"), "the device behind a disk that QEMU was given as a descriptor"),
    key: optional(KEY, "the guest's key, where the host cannot find its own registration"),
    tlsCert: optional(text("FILE"), "this host's certificate (PEM), for tcp: beyond this host"),
    tlsKey: optional(text("FILE"), "its private key"),
    tlsCa: optional(text("FILE"), "the authority that must have signed the other side's certificate"),
    timeout: fallback(DURATION, "30s", "limit of every wait but that for the guest's memory"),
  },
  exits: {
    failed: "not migrated; the guest runs here, and its LUNs are as before",
    refused:
      "not migrated: a LUN is not as expected or was fenced, migrate-pr is on at one end, the guest cannot be moved",
    device: "a disk is not SCSI, has no persistent reservations, no permission, gone",
    unsure: "not known where the guest is, or it has to be let run by hand; prmig recover finishes or undoes it",
    interrupted: "interrupted; the guest runs here, and its LUNs are as before",
  },
  examples: [
    {
      line: "prmig migrate --qmp /run/vm1/qmp --to 'ssh dst' --dst-qmp /run/vm1/qmp --uri tcp:dst:4444",
      does: "both monitors at hand: the safest way",
    },
    {
      line: "prmig migrate --qmp /run/vm1/qmp --to 'ssh dst' --uri tcp:dst:4444 --timeout 1m",
      does: "without the destination's monitor",
    },
    {
      line: "prmig migrate --qmp /run/src/qmp --to 'prmig recv /dev/sdb' --dst-qmp unix:/run/dst/qmp --gate switchover",
      does: "between two QEMUs of one host, at a gate of one's own choice",
    },
    {
      line:
        "prmig migrate --qmp tcp:127.0.0.1:4444 --to tcp:dst:7000 --tls-cert c.pem --tls-key k.pem --tls-ca ca.pem --uri tcp:dst:4444 --disk disk0=/dev/sdb --key 0xbeef",
      does: "to a listening recv over TLS, the disk and its key named",
    },
  ],
  run: async (input, context) => (await import("../migrate/run.ts")).runMigrate(input, context),
});
