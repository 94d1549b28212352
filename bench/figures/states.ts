/**
 * The full state of one LUN and of 256: `prmig dump`, against sg_persist in a shell script and a C program.
 *
 * Two ways to look at many: the whole process, as an operator runs it, against two scripts; and the reading alone, within a
 * process that is there already (`watch`, `migrate`), against the C program that sends the same commands.
 *
 * @module
 */
import { readDump } from "../../lib/cli/dump/read.ts";
import { openSgDevice } from "../../lib/sg/mod.ts";
import { lun, prmigCommand } from "../../tests/lab/support.ts";
import type { Figure, Row, Sample, Scale } from "../figure.ts";
import { withManyLuns } from "../many_luns.ts";
import { compiled, inTurn, mostMiB, ran, rounds, sample, timed, timedProgram, withDirectory } from "../measure.ts";

const LUNS = 254;
const ALIKE = "script, the same state", BARE = "script, READ FULL STATUS alone";
const C = "C program", ONE = "sg_persist", EMPTY = "empty script";

/** What `dump` reads of a LUN: who it is, registrations, reservation, capabilities. */
const SAME_STATE = `for node do
  sg_inq "$node" && sg_inq --page=0x80 "$node" && sg_inq --page=0x83 "$node" &&
  sg_persist -n -i -s "$node" && sg_persist -n -i -r "$node" && sg_persist -n -i -c "$node" || exit 1
done`;
const FULL_STATUS = `for node do sg_persist -n -i -s "$node" || exit 1; done`;

const WHOLE = "Start and reading, below.";
const READING =
  "Seven commands a LUN, and what sysfs says of it. The C program calls the kernel 9 times a LUN; prmig's threads take a call from " +
  "a pipe and give it back, 3 system calls for each, and some 30 go to sysfs.";

/** States. */
export const states: Figure = {
  name: "states",
  where: "lab",
  measure: (scale) =>
    withDirectory(async (directory) => {
      const { prmig, which } = program();
      const own = [lun(0).nexuses.A.sg, lun(1).nexuses.A.sg];
      const loop = await compiled("sg_states", directory);
      const rows = await withManyLuns(scale.small ? 2 : LUNS, async (more) => {
        const nodes = [...own, ...more];
        return [...await whole(nodes, prmig, which, scale), await reading(nodes, loop, scale)];
      });
      return { rows: [...rows, ...await one(own[0]!, prmig, which, directory, scale)] };
    }),
};

/** The one file where it was built before the boot, as that is what users run; else what the lab's tests run. */
function program(): { prmig: (args: readonly string[]) => string[]; which: string } {
  const built = Deno.env.get("PRMIG_LAB_BINARY");
  if (built === undefined) {
    return {
      prmig: prmigCommand,
      which: "Measured is a bundle that is compiled anew at each start, not the one file.",
    };
  }
  // From the lab's own disk: reading 96 MB from the other side would be most of it.
  const local = "/run/prmig-bench";
  Deno.copyFileSync(built, local);
  Deno.chmodSync(local, 0o755);
  return { prmig: (args) => [local, ...args], which: "Measured is the one file that is shipped, with its cache." };
}

async function whole(
  nodes: readonly string[],
  prmig: (args: readonly string[]) => string[],
  which: string,
  scale: Scale,
): Promise<Row[]> {
  const dump = prmig(["dump", "--json", ...nodes]);
  await ran(dump); // takes the unit attentions of LUNs that have just been made, and fills the cache
  const script = (text: string): () => Promise<number> => () => timedProgram(["sh", "-c", text, "sh", ...nodes]);
  const times = await inTurn(rounds(scale, 2), {
    prmig: () => timedProgram(dump),
    [ALIKE]: script(SAME_STATE),
    [BARE]: script(FULL_STATUS),
  }, 0);
  const against = (peer: typeof ALIKE | typeof BARE): Row =>
    row(
      `${nodes.length} LUNs, whole process; ${peer}`,
      times.prmig!,
      { [peer]: times[peer]! },
      [{ says: "15 x faster than the script", against: peer, atMost: 1 / 15 }],
      `${WHOLE} ${which}`,
    );
  return [against(ALIKE), against(BARE)];
}

async function reading(nodes: readonly string[], loop: string, scale: Scale): Promise<Row> {
  const times = await inTurn(rounds(scale, 7), {
    prmig: () => timed(() => readAll(nodes)),
    [C]: async () => Number(await ran([loop, ...nodes])),
  }, 2);
  return row(
    `${nodes.length} LUNs, full state, reading alone`,
    times.prmig!,
    { [C]: times[C]! },
    [{ says: "at most 2 x the C program", against: C, atMost: 2 }],
    READING,
  );
}

async function one(
  node: string,
  prmig: (args: readonly string[]) => string[],
  which: string,
  directory: string,
  scale: Scale,
): Promise<Row[]> {
  await Deno.writeTextFile(`${directory}/empty.js`, "");
  const dump = prmig(["dump", node]);
  const times = await inTurn(rounds(scale, 7), {
    prmig: () => timedProgram(dump),
    [ONE]: () => timedProgram(["sg_persist", "-n", "-i", "-s", node]),
    [EMPTY]: () => timedProgram([Deno.execPath(), "run", "--no-config", `${directory}/empty.js`]),
  });
  const memory = "resident memory: dump of one LUN, most ever";
  return [
    row(
      "dump of one LUN, whole process",
      times.prmig!,
      { [ONE]: times[ONE]!, [EMPTY]: times[EMPTY]! },
      [{ says: "at most 1.3 x the empty script", against: EMPTY, atMost: 1.3 }],
      `Loading the program is most of it. ${which}`,
    ),
    { figure: memory, unit: "MiB", prmig: sample([await mostMiB(dump)]), peers: {}, targets: [] },
  ];
}

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
