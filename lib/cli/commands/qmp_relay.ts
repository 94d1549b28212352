/**
 * `prmig qmp-relay SOCK`: its definition.
 *
 * @module
 */
import { defineCommand, one } from "../command.ts";
import { text } from "../values.ts";

export const qmpRelay = defineCommand({
  name: "qmp-relay",
  summary: "Pass a QMP socket of this host to stdin and stdout",
  description: `
For prmig migrate on another host, which runs it by ssh to reach the destination's QEMU: what comes in on stdin goes to the
socket, what the socket says goes to stdout. Whoever may run it as root may do anything to that QEMU.
`,
  changesLun: false,
  args: { socket: one("SOCK", "path of the QMP socket", text("SOCK")) },
  options: {},
  exits: { failed: "nobody listens there" },
  examples: [{ line: "ssh dst prmig qmp-relay /run/vm1/qmp", does: "talk QMP to a QEMU on another host" }],
  run: async (input, context) => (await import("../migrate/relay.ts")).runRelay(input, context),
});
