/**
 * What prmig adds to the downtime of a guest under an unpatched QEMU: from the event of the gate to the command that lets the
 * guest go on. The guest holds type 5 and travels between two hosts of the lab.
 *
 * Two scripts are beside it (programs/migrate_guest.sh), both with sg_persist and one socat. One takes the same steps as
 * prmig, but writes nothing down and does not go back; the other sends REGISTER and PREEMPT, and looks at nothing. All go to
 * the other host by ssh, the scripts over a connection that was opened before; and all without ssh, which only one host for
 * both ends can do.
 *
 * @module
 */
import { type Journey, Travels } from "../../tests/lab/migrating.ts";
import type { Guest } from "../../tests/lab/guest/guest.ts";
import { QmpProxy } from "../../tests/lab/qmp_proxy.ts";
import { lun, prmigCommand, type Sshd, startSshd } from "../../tests/lab/support.ts";
import type { Figure, Row, Sample } from "../figure.ts";
import { ran, rounds, sample, withDirectory } from "../measure.ts";

const SAME = "script, the same steps";
const BARE = "script, REGISTER and PREEMPT alone";
const PROGRAM = new URL("../programs/migrate_guest.sh", import.meta.url).pathname;
const EVENT_MS = 60_000;
const SAYS = { says: "at least 10 x less than the same done by a script", against: SAME, atMost: 0.1 };

/** Sends the guest to `destination`, talking to the source QEMU's monitor at `qmp`. */
type Move = (journey: Journey, destination: Guest, qmp: string) => Promise<unknown>;

/** What one move took. */
interface Took {
  /** Milliseconds between the event on its way to whoever moves, and their command on its way to QEMU. */
  readonly ms: number;
  /** Milliseconds by QEMU's own clock, until it has begun to act on the command. */
  readonly qemuMs: number;
  /** SCSI commands to both nexuses in that time. */
  readonly commands: number;
}

/** A guest's downtime. */
export const guest: Figure = {
  name: "guest",
  where: "lab",
  measure: (scale) =>
    withDirectory(async (directory) => {
      const server = await startSshd();
      try {
        await using travels = new Travels([5]);
        const shell = await openShell(server, directory);
        const ssh = { prmig: byPrmig(server.line), [SAME]: byScript("same", shell), [BARE]: byScript("bare", shell) };
        const here = { prmig: byPrmig(""), [SAME]: byScript("same", ""), [BARE]: byScript("bare", "") };
        const rows = rowsOf("over ssh", await inTurn(travels, rounds(scale, 5), ssh));
        return { rows: scale.small ? rows : [...rows, ...rowsOf("without ssh", await inTurn(travels, 5, here))] };
      } finally {
        await server.stop();
      }
    }),
};

/** Each mover in turn, `count` times. */
async function inTurn(travels: Travels, count: number, movers: Record<string, Move>): Promise<Map<string, Took[]>> {
  const took = new Map<string, Took[]>(Object.keys(movers).map((name) => [name, []]));
  for (let round = 0; round < count; round++) {
    for (const [name, move] of Object.entries(movers)) {
      const one = await travels.go((journey) => measured(journey, move));
      console.error(`${name}: ${JSON.stringify(one)}`);
      took.get(name)!.push(one);
    }
  }
  return took;
}

function rowsOf(way: string, took: Map<string, Took[]>): Row[] {
  const row = (figure: string, unit: string, of: keyof Took, targets: Row["targets"]): Row => {
    const samples = [...took].map(([name, all]): [string, Sample] => [name, sample(all.map((one) => one[of]))]);
    const { prmig, ...peers } = Object.fromEntries(samples);
    return { figure: `${figure}, ${way}`, unit, prmig: prmig!, peers, targets };
  };
  return [
    row("guest stands still for its reservation, event pre-switchover to migrate-continue", "ms", "ms", [SAYS]),
    row("the same, by QEMU's clock until it acts on the command", "ms", "qemuMs", []),
    row("the same, to both nexuses", "SCSI commands", "commands", []),
  ];
}

/** An open connection of ssh; the shell that goes through it. It ends with the server. */
async function openShell({ command: [ssh, ...words] }: Sshd, directory: string): Promise<string> {
  const through = [ssh!, "-o", `ControlPath=${directory}/master`, ...words];
  const master = new Deno.Command(through[0]!, {
    args: ["-o", "ControlMaster=yes", "-f", "-N", ...through.slice(1)],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  });
  const { code } = await master.output();
  if (code !== 0) throw new Error(`ssh -f -N: exit ${code}`);
  return through.join(" ");
}

function byPrmig(shell: string): Move {
  return async (journey, destination, qmp) => {
    const recv = prmigCommand(["recv", ...journey.devicesAt(journey.elsewhere)]).join(" ");
    const to = `${shell} ${recv}`.trim();
    const { code, stderr } = await journey.prmig(destination, [
      ...["--json", "--gate", "switchover", "--timeout", "120s", "--qmp", qmp, "--to", to],
    ]).finished;
    if (code !== 0) throw new Error(`prmig migrate: exit ${code}: ${stderr}`);
  };
}

function byScript(steps: "same" | "bare", shell: string): Move {
  return async (journey, destination, qmp) => {
    const [here, there] = [journey.at, journey.elsewhere].map((name) => lun().nexuses[name].sg) as [string, string];
    const words = ["sh", PROGRAM, steps, qmp, journey.uriOf(destination), here, there, "0xbeef", "5"];
    await ran(words, shell === "" ? {} : { REMOTE: shell });
  };
}

/** One move, seen between QEMU and whoever moves. */
async function measured(journey: Journey, move: Move): Promise<Took> {
  const destination = await journey.destination();
  const { qmp, qmpSocket } = journey.here;
  const from = qmp.events.length;
  const marks: { at: number; commands: number }[] = [];
  const mark = (): unknown => marks.push({ at: performance.now(), commands: requests() });
  {
    using proxy = QmpProxy.before(qmpSocket, (command) => {
      if (command === "migrate-continue") mark();
      return true;
    }, (line) => {
      if (line.includes('"MIGRATION"') && line.includes('"pre-switchover"')) mark();
      return true;
    });
    await move(journey, destination, proxy.path);
  }
  const reached = (status: string): Promise<{ at: number }> =>
    qmp.event(({ event, data }) => event === "MIGRATION" && data.status === status, EVENT_MS, from);
  const qemuMs = ((await reached("device")).at - (await reached("pre-switchover")).at) / 1000;
  await journey.arrivedIn(destination);
  const [event, command] = marks;
  if (event === undefined || command === undefined) throw new Error("the guest never stood at the gate");
  return { ms: command.at - event.at, qemuMs, commands: command.commands - event.commands };
}

/** Counted by the kernel on both nexuses, while the guest sends none. */
function requests(): number {
  const { A, B } = lun().nexuses;
  const ofBoth = [A, B].map(({ sd }) =>
    Number(Deno.readTextFileSync(`/sys/block/${sd.replace("/dev/", "")}/device/iorequest_cnt`))
  );
  return ofBoth.reduce((sum, count) => sum + count, 0);
}
