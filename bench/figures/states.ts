/**
 * The full state of one LUN and of 256: `prmig dump`, against sg_persist in a shell script and a C program.
 *
 * Two ways to look at many: the whole process, as an operator runs it, against the script; and the reading alone, within a
 * process that is there already (`watch`, `migrate`), against the C program that sends the same commands.
 *
 * @module
 */
import { readDump } from "../../lib/cli/dump/read.ts";
import { openSgDevice } from "../../lib/sg/mod.ts";
import { lun, prmigCommand } from "../../tests/lab/support.ts";
import type { Figure, Row, Sample } from "../figure.ts";
import { withManyLuns } from "../many_luns.ts";
import { compiled, inTurn, mostMiB, ran, rounds, sample, timed, timedProgram, withDirectory } from "../measure.ts";

const LUNS = 254;
const SCRIPT = "sg_persist script", C = "C program", ONE = "sg_persist", EMPTY = "empty script";

const WHOLE =
  "Start and reading, below; a script pays a process a LUN, which is cheap where there is no network to wait for.";
const READING =
  "Eight commands a LUN, some 2,000 in all, each decoded, checked and sent by code compiled at run time, which " +
  "emulation makes 30 times slower and the C program 10 times. The helper's threads would save a half of a command's way at " +
  "most (the rows of that way), and with it less than a third of the whole: not done.";

/** States. */
export const states: Figure = {
  name: "states",
  where: "lab",
  measure: (scale) =>
    withDirectory(async (directory) => {
      const own = [lun(0).nexuses.A.sg, lun(1).nexuses.A.sg];
      const program = await compiled("sg_states", directory);
      const rows = await withManyLuns(scale.small ? 2 : LUNS, async (more) => {
        const nodes = [...own, ...more];
        const script = ["sh", "-c", `for node do sg_persist -n -i -s "$node" || exit 1; done`, "sh", ...nodes];
        const whole = await inTurn(rounds(scale, 2), {
          prmig: () => timedProgram(prmigCommand(["dump", "--json", ...nodes])),
          [SCRIPT]: () => timedProgram(script),
        }, scale.small ? 0 : 1);
        const reading = await inTurn(rounds(scale, 7), {
          prmig: () => timed(() => readAll(nodes)),
          [C]: async () => Number(await ran([program, ...nodes])),
        }, 2);
        return [
          row(
            `${nodes.length} LUNs, full state, whole process`,
            whole.prmig!,
            { [SCRIPT]: whole[SCRIPT]! },
            [{ says: "15 x faster than the script", against: SCRIPT, atMost: 1 / 15 }],
            WHOLE,
          ),
          row(
            `${nodes.length} LUNs, full state, reading alone`,
            reading.prmig!,
            { [C]: reading[C]! },
            [{ says: "at most 2 x the C program", against: C, atMost: 2 }],
            READING,
          ),
        ];
      });
      await Deno.writeTextFile(`${directory}/empty.js`, "");
      const dump = prmigCommand(["dump", own[0]!]);
      const one = await inTurn(rounds(scale, 7), {
        prmig: () => timedProgram(dump),
        [ONE]: () => timedProgram(["sg_persist", "-n", "-i", "-s", own[0]!]),
        [EMPTY]: () => timedProgram([Deno.execPath(), "run", "--no-config", `${directory}/empty.js`]),
      });
      const memory: Row = {
        figure: "resident memory: dump of one LUN, most ever",
        unit: "MiB",
        prmig: sample([await mostMiB(dump)]),
        peers: {},
        targets: [],
      };
      rows.push(row("dump of one LUN, whole process", one.prmig!, { [ONE]: one[ONE]!, [EMPTY]: one[EMPTY]! }, [
        { says: "at most 1.3 x the empty script", against: EMPTY, atMost: 1.3 },
      ], "Loading the program is most of it: here from a bundle that is compiled anew at each start."));
      return { rows: [...rows, memory] };
    }),
};

function row(figure: string, prmig: Sample, peers: Row["peers"], targets: Row["targets"], note?: string): Row {
  return { figure, unit: "ms", prmig, peers, targets, note };
}

async function readAll(nodes: readonly string[]): Promise<void> {
  await Promise.all(nodes.map(async (address) => {
    const nexus = await openSgDevice(address, { writable: false });
    try {
      const { node } = nexus;
      await readDump({ address, paths: [nexus], node, multipath: null, unusable: [], close: () => {} });
    } finally {
      nexus.close();
    }
  }));
}
