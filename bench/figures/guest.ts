/**
 * What prmig adds to the downtime of a guest under an unpatched QEMU 7.2: from QEMU's event of the gate to the command that
 * lets the guest go on, both by QEMU's own clock. The guest holds type 5 and travels between two hosts of the lab.
 *
 * The peer is an operator's script (programs/migrate_guest.sh): REGISTER and PREEMPT, without a look before or after, without
 * a way back. Both go to the other host by ssh, the script over a connection that it opened before; and both without ssh,
 * which only one host for both ends can do.
 *
 * @module
 */
import { Journey } from "../../tests/lab/migrating.ts";
import type { Guest } from "../../tests/lab/guest/guest.ts";
import { QmpProxy } from "../../tests/lab/qmp_proxy.ts";
import { freshLab, lun, prmigCommand, type Sshd, startSshd } from "../../tests/lab/support.ts";
import type { Figure } from "../figure.ts";
import { inTurn, ran, rounds, sample, withDirectory } from "../measure.ts";

const SCRIPT = "script with sg_persist and socat";
const PROGRAM = new URL("../programs/migrate_guest.sh", import.meta.url).pathname;
const EVENT_MS = 60_000;
const SAYS = { says: "at least 10 x less than the script", against: SCRIPT, atMost: 0.1 };

/** Sends the guest to `destination`, talking to the source QEMU's monitor at `qmp`. */
type Move = (journey: Journey, destination: Guest, qmp: string) => Promise<unknown>;

/** A guest's downtime. */
export const guest: Figure = {
  name: "guest",
  where: "lab",
  measure: (scale) =>
    withDirectory(async (directory) => {
      await freshLab();
      const server = await startSshd();
      try {
        await using journey = await Journey.begin([5]);
        const shell = await openShell(server, directory);
        const here = { prmig: byPrmig(""), [SCRIPT]: byScript("") };
        const ssh = { prmig: byPrmig(server.line), [SCRIPT]: byScript(shell) };
        const ms = async (moves: Record<string, Move>): Promise<Both> =>
          both(
            await inTurn(
              rounds(scale, 3),
              Object.fromEntries(
                Object.entries(moves).map(([name, move]) => [name, () => milliseconds(journey, name, move)]),
              ),
              0,
            ),
          );
        const what = "guest stands still for its reservation, pre-switchover to migrate-continue";
        const rows = [{ figure: `${what}, over ssh`, unit: "ms", ...await ms(ssh), targets: [SAYS] }];
        if (scale.small) return { rows };
        const [own, theirs] = [await commandsSent(journey, here.prmig), await commandsSent(journey, here[SCRIPT])];
        return {
          rows: [
            ...rows,
            { figure: `${what}, without ssh`, unit: "ms", ...await ms(here), targets: [SAYS] },
            {
              figure: `${what}, to both nexuses`,
              unit: "SCSI commands",
              ...both({ prmig: sample([own]), [SCRIPT]: sample([theirs]) }),
              targets: [],
            },
          ],
        };
      } finally {
        await server.stop();
      }
    }),
};

type Samples = Readonly<Record<string, ReturnType<typeof sample>>>;
type Both = { prmig: ReturnType<typeof sample>; peers: Samples };

function both({ prmig, ...peers }: Samples): Both {
  return { prmig: prmig!, peers };
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

function byScript(shell: string): Move {
  return async (journey, destination, qmp) => {
    const device = lun().nexuses[journey.elsewhere].sg;
    const words = ["sh", PROGRAM, qmp, journey.uriOf(destination), device, "0xbeef", "5"];
    await ran(words, shell === "" ? {} : { REMOTE: shell });
  };
}

/** QEMU says when it reached the gate, and, with `device`, when it was told to go on. */
async function milliseconds(journey: Journey, name: string, move: Move): Promise<number> {
  const destination = await journey.destination();
  const { qmp, qmpSocket } = journey.here;
  const from = qmp.events.length;
  const reached = (status: string): Promise<{ at: number }> =>
    qmp.event(({ event, data }) => event === "MIGRATION" && data.status === status, EVENT_MS, from);
  await move(journey, destination, qmpSocket);
  const took = ((await reached("device")).at - (await reached("pre-switchover")).at) / 1000;
  await journey.arrivedIn(destination);
  console.error(`${name}: ${took} ms`);
  return took;
}

/** Counted by the kernel on both nexuses, while the guest sends none. */
async function commandsSent(journey: Journey, move: Move): Promise<number> {
  const destination = await journey.destination();
  const marks: number[] = [];
  using proxy = QmpProxy.before(journey.here.qmpSocket, (command) => {
    if (command === "migrate-continue") marks.push(requests());
    return true;
  }, (line) => {
    if (line.includes('"MIGRATION"') && line.includes('"pre-switchover"')) marks.push(requests());
    return true;
  });
  await move(journey, destination, proxy.path);
  await journey.arrivedIn(destination);
  const [before, after] = marks;
  if (after === undefined) throw new Error("the guest never stood at the gate");
  return after - before!;
}

function requests(): number {
  const { A, B } = lun().nexuses;
  const ofBoth = [A, B].map(({ sd }) =>
    Number(Deno.readTextFileSync(`/sys/block/${sd.replace("/dev/", "")}/device/iorequest_cnt`))
  );
  return ofBoth.reduce((sum, count) => sum + count, 0);
}
