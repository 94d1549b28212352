/**
 * `prmig snoop` against qemu-pr-helper: answers a second with 1 and 64 connections, latency, memory.
 *
 * One client program in C drives both, in turn: every connection sends its next command as soon as the last is answered,
 * each connection on one of the lab's six paths.
 *
 * @module
 */
import { type ServingHelper, startSnoop, startStock } from "../../tests/lab/helpers.ts";
import { lab } from "../../tests/lab/support.ts";
import type { Figure, Row, Sample, Scale } from "../figure.ts";
import { compiled, ran, residentMiB, rounds, sample, withDirectory } from "../measure.ts";

const PEER = "qemu-pr-helper";
const MILLISECONDS = { full: 2000, small: 200 };
/** In turn, so that other work on the machine meets both alike. */
const ROUNDS = { many: 12, one: 6 };
/**
 * Commands before the first that counts, of either helper alike. A helper runs for months, so what counts is the compiled
 * program. The runtime compiles what has run often: a PERSISTENT RESERVE OUT takes 49 µs at first, 25 after 20,000 commands,
 * 21 after 40,000, whatever the machine. Where that would take too long, as in an emulated one, it is cut short for both.
 */
const WARM_UP = { commands: 5000, times: 8, enoughMs: 120_000 };
type Kind = "in" | "out";
const KINDS: Readonly<Record<Kind, string>> = { in: "READ KEYS", out: "REGISTER AND IGNORE" };

const NOTES: Readonly<Record<Kind, string>> = {
  in:
    "What bounds it is system calls, of which it makes 8 a command and qemu-pr-helper 12; in an emulated lab it is JavaScript, " +
    "as emulation makes code compiled at run time some 30 times slower, and C 10 times.",
  out:
    "Each command is tracked and told as an event on disk, and those of one nexus go one after the other: 3 are handed over " +
    "at a time, not 30, and each pays a third of a wait and of a wake-up. qemu-pr-helper does none of that.",
};

/** What bench/programs/helper_load.c prints. */
export interface Load {
  readonly answers: number;
  readonly good: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

interface Contest {
  readonly perSecond: Record<"prmig" | "stock", Sample>;
  readonly p99: Record<"prmig" | "stock", Sample>;
}

/** The helper. */
export const snoop: Figure = {
  name: "snoop",
  where: "lab",
  measure: async (scale) => {
    const [ours, stock] = [await startSnoop({ args: ["--quiet"] }), await startStock()];
    try {
      const idle = { prmig: resident(ours), stock: resident(stock) };
      const rows = await withDirectory(async (directory) => {
        const program = await compiled("helper_load", directory);
        const found: Row[] = [];
        for (const kind of ["in", "out"] as const) {
          for (const connections of [64, 1]) {
            found.push(...rowsOf(kind, connections, await contest(program, kind, connections, { ours, stock }, scale)));
          }
        }
        return found;
      });
      return { rows: [...rows, ...memory(idle, { prmig: resident(ours), stock: resident(stock) })] };
    } finally {
      await Promise.all([ours.stop(), stock.stop()]);
    }
  },
};

async function contest(
  program: string,
  kind: Kind,
  connections: number,
  { ours, stock }: { ours: ServingHelper; stock: ServingHelper },
  scale: Scale,
): Promise<Contest> {
  const nodes = lab().luns.flatMap(({ nexuses }) => Object.values(nexuses).map(({ sd }) => sd));
  const milliseconds = String(scale.small ? MILLISECONDS.small : MILLISECONDS.full);
  const run = async ({ socket }: ServingHelper, long = milliseconds): Promise<Load> => {
    const load: Load = JSON.parse(await ran([program, socket, String(connections), long, kind, ...nodes]));
    // BUSY is an answer, but not the one that is to be counted; one unit attention a path may still have been waiting.
    if (load.answers - load.good > nodes.length) {
      throw new Error(`${load.answers - load.good} of ${load.answers} were not GOOD`);
    }
    return load;
  };
  const loads: Record<"prmig" | "stock", Load[]> = { prmig: [], stock: [] };
  const warmUps = scale.small || connections === 1 ? 0 : WARM_UP.times;
  const enough = performance.now() + WARM_UP.enoughMs;
  for (let i = 0; i < warmUps && performance.now() < enough; i++) {
    for (const each of [ours, stock]) await run(each, `${WARM_UP.commands}x`);
  }
  for (let round = 0; round < rounds(scale, connections === 1 ? ROUNDS.one : ROUNDS.many); round++) {
    // First and second by turns: what one leaves behind in the machine's caches, the other finds.
    if (round % 2 === 0) loads.prmig.push(await run(ours));
    loads.stock.push(await run(stock));
    if (round % 2 === 1) loads.prmig.push(await run(ours));
  }
  const of = (value: (load: Load) => number): Record<"prmig" | "stock", Sample> => ({
    prmig: sample(loads.prmig.map(value)),
    stock: sample(loads.stock.map(value)),
  });
  return { perSecond: of((load) => load.answers / load.seconds), p99: of((load) => load.p99) };
}

function rowsOf(kind: Kind, connections: number, { perSecond, p99 }: Contest): Row[] {
  const what = `${KINDS[kind]}, ${connections} connection${connections > 1 ? "s" : ""}`;
  const many = { says: "at least 1.0 x at 64", against: PEER, atLeast: 1 };
  const soon = { says: "at most 2 x at 1", against: PEER, atMost: 2 };
  return [
    {
      figure: `snoop: ${what}`,
      unit: "requests/s",
      prmig: perSecond.prmig,
      peers: { [PEER]: perSecond.stock },
      targets: connections === 64 ? [many] : [],
      ...(connections === 64 ? { note: NOTES[kind] } : {}),
    },
    {
      figure: `snoop: p99 of ${what}`,
      unit: "µs",
      prmig: p99.prmig,
      peers: { [PEER]: p99.stock },
      targets: connections === 1 ? [soon] : [],
    },
  ];
}

function memory(
  idle: Record<"prmig" | "stock", Sample>,
  loaded: Record<"prmig" | "stock", Sample>,
): Row[] {
  const row = (figure: string, { prmig, stock }: Record<"prmig" | "stock", Sample>): Row => ({
    figure,
    unit: "MiB",
    prmig,
    peers: { [PEER]: stock },
    targets: [],
  });
  const limit = { says: "at most 120 MiB with 64 clients", against: null, atMost: 120 };
  return [
    row("resident memory: snoop, idle", idle),
    { ...row("resident memory: snoop, most ever, with 64 clients", loaded), targets: [limit] },
  ];
}

/** The most it ever was: what a limit on the unit has to allow. */
function resident({ process }: ServingHelper): Sample {
  return sample([residentMiB(process.pid).most]);
}
