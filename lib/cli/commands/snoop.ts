/**
 * `prmig snoop`: its definition. The options of qemu-pr-helper keep their letters and their meaning.
 *
 * @module
 */
import { defineCommand, fallback, flag, optional, type OptionSpec } from "../command.ts";
import { COUNT, MODE } from "../snoop/values.ts";
import { DURATION, text } from "../values.ts";

/** Gives an option its letter. */
function letter<T>(short: string, option: OptionSpec<T>): OptionSpec<T> {
  return { ...option, short };
}

export const snoop = defineCommand({
  name: "snoop",
  summary: "Serve guests' reservation commands in place of qemu-pr-helper, and know what each guest holds",
  description: `
A daemon that speaks QEMU's pr-helper protocol. Each guest's PERSISTENT RESERVE commands are executed on the descriptor
QEMU sends, and answered as qemu-pr-helper answers them; beside that, the key and type each guest holds are kept in
/run/prmig (PRMIG_RUN_DIR), where \`prmig dump\` and \`prmig send\` find them.

Started as root, it keeps the capability CAP_SYS_RAWIO and gives up everything else. It stays in the foreground unless
--daemon is given; a service manager may hand it its socket. SIGTERM ends it in good order: commands under way are
answered first.

With --json, each PERSISTENT RESERVE OUT and each finding is one object on one line of stdout; the log goes to stderr.
`,
  changesLun: true,
  args: {},
  options: {
    socket: letter("k", optional(text("PATH"), "listen here, an absolute path; default /run/prmig/pr-helper.sock")),
    mode: fallback(MODE, "0600", "permissions of the socket"),
    socketGroup: optional(text("GROUP"), "group of the socket, by name or number"),
    pidfile: letter("f", optional(text("PATH"), "write the process id here")),
    daemon: flag("go into the background once the socket can be connected to", "d"),
    user: letter("u", optional(text("USER"), "become this user, by name or number, after listening")),
    group: letter("g", optional(text("GROUP"), "become this group, by name or number, after listening")),
    noMask: flag("show guests SIP_C and ATP_C, and let SPEC_I_PT, ALL_TG_PT and REGISTER AND MOVE through"),
    metrics: optional(text("FILE"), "write Prometheus metrics here every 15 s, for the textfile collector"),
    timeout: fallback(DURATION, "30s", "time limit of each SCSI command"),
    maxClients: fallback(COUNT, "4096", "connections at a time; more are turned away"),
    trace: letter("T", optional(text("PATTERN"), "taken for qemu-pr-helper's sake, and of no effect: use --verbose")),
    quiet: flag("log warnings and errors only", "q"),
    version: flag("show the version", "V"),
  },
  exits: {
    failed: "the socket or the run directory cannot be used, or privileges cannot be given up",
    unsure: "ended by a second signal, with commands under way",
  },
  examples: [
    { line: "prmig snoop -k /run/prmig/pr-helper.sock", does: "serve every guest that is pointed at this socket" },
    {
      line: "prmig snoop --socket-group kvm --mode 0660 --metrics /var/lib/node_exporter/prmig.prom",
      does: "let QEMU's group connect, and let node_exporter pick up metrics",
    },
    {
      line: "prmig snoop --socket /tmp/test.sock --json | jq -c '[.serviceAction, .key, .status]'",
      does: "watch what guests do",
    },
    {
      line: "prmig snoop --daemon --pidfile /run/prmig-snoop.pid --user nobody --group kvm --quiet",
      does: "without systemd: in the background, as another user, telling warnings alone",
    },
    {
      line: "prmig snoop --no-mask --timeout 60s --max-clients 64 --trace 'pr_*'",
      does: "show guests all the LUN can do, wait longer for the device, let fewer in, take what qemu-pr-helper takes",
    },
    { line: "prmig snoop -V", does: "the version, as qemu-pr-helper tells its own" },
  ],
  run: async (input, context) => (await import("../snoop/run.ts")).runSnoop(input, context),
});
