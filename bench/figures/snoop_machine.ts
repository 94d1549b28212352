/**
 * The two helpers on the machine itself, with a descriptor on which the kernel refuses SG_IO at once (/dev/null): everything but
 * the SCSI command, and no emulation, which makes compiled-at-run-time code ten times slower than it makes C.
 *
 * @module
 */
import { prmigCommand } from "../../tests/lab/support.ts";
import type { Figure, Row, Sample, Scale } from "../figure.ts";
import { compiled, ran, rounds, sample, withDirectory } from "../measure.ts";
import type { Load } from "./snoop.ts";

const PEER = "qemu-pr-helper";
const MILLISECONDS = { full: 1000, small: 200 };
const PATIENCE_MS = 60_000;

/** The helpers, natively. */
export const snoopMachine: Figure = {
  name: "snoop-machine",
  where: "machine",
  needs: ["gcc", "qemu-pr-helper"],
  measure: (scale) =>
    withDirectory(async (directory) => {
      const program = await compiled("helper_load", directory);
      const [mine, theirs] = [`${directory}/prmig.sock`, `${directory}/stock.sock`];
      const env = { DENO_NO_UPDATE_CHECK: "1", DENO_NO_PACKAGE_JSON: "1", PRMIG_RUN_DIR: `${directory}/run` };
      const helpers = [
        helper(prmigCommand(["snoop", "--quiet", "-k", mine]), env),
        helper(["qemu-pr-helper", "-k", theirs], {}),
      ];
      try {
        for (const socket of [mine, theirs]) await untilThere(socket);
        const rows: Row[] = [];
        for (const connections of [64, 1]) {
          const loads = await contest(program, connections, { prmig: mine, [PEER]: theirs }, scale);
          rows.push(...rowsOf(connections, loads));
        }
        return { rows };
      } finally {
        for (const each of helpers) each.kill("SIGTERM");
        await Promise.all(helpers.map(({ status }) => status));
      }
    }),
};

function helper([program, ...args]: readonly string[], env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(program!, { args, env, stdin: "null", stdout: "null", stderr: "null" }).spawn();
}

async function untilThere(path: string): Promise<void> {
  for (const until = performance.now() + PATIENCE_MS;;) {
    try {
      await Deno.lstat(path);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

type Loads = Readonly<Record<string, readonly Load[]>>;

async function contest(
  program: string,
  connections: number,
  sockets: Readonly<Record<string, string>>,
  scale: Scale,
): Promise<Loads> {
  const milliseconds = String(scale.small ? MILLISECONDS.small : MILLISECONDS.full);
  const loads: Record<string, Load[]> = {};
  for (let round = scale.small ? 0 : -2; round < rounds(scale, 5); round++) {
    for (const [name, socket] of Object.entries(sockets)) {
      const argv = [program, socket, String(connections), milliseconds, "in", "/dev/null"];
      const load: Load = JSON.parse(await ran(argv));
      if (round >= 0) (loads[name] ??= []).push(load);
    }
  }
  return loads;
}

function rowsOf(connections: number, loads: Loads): Row[] {
  const of = (name: string, value: (load: Load) => number): Sample => sample(loads[name]!.map(value));
  const what = `${connections} connection${connections > 1 ? "s" : ""}, no SCSI, no emulation`;
  const [rate, p99] = [(load: Load) => load.answers / load.seconds, (load: Load) => load.p99];
  return [
    {
      figure: `snoop: ${what}`,
      unit: "requests/s",
      prmig: of("prmig", rate),
      peers: { [PEER]: of(PEER, rate) },
      targets: [],
      note: "the protocol's own cost, which is the same for every LUN: what a command of the LUN adds is not in it",
    },
    {
      figure: `snoop: p99 of ${what}`,
      unit: "µs",
      prmig: of("prmig", p99),
      peers: { [PEER]: of(PEER, p99) },
      targets: [],
    },
  ];
}
