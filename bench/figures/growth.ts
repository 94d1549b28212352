/**
 * How time and memory grow: with the number of LUNs, of registrants, of recorded events. Pictures in the results; the rows
 * give the exponent of time over the upper half of the sizes.
 *
 * @module
 */
import process from "node:process";
import { readState } from "../../lib/pr/read_state.ts";
import { prOut } from "../../lib/pr/commands.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";
import { eventFromJson, eventToJson, type PrEvent } from "../../lib/snoop/event.ts";
import { svgFile } from "../../lib/cli/timeline/page.ts";
import type { Curve, Figure, Row } from "../figure.ts";
import { rounds, sample } from "../measure.ts";
import { round } from "../table.ts";
import { simulated } from "./hand_over.ts";

/** One size: milliseconds (of processor time but for the switch, which waits), and MiB of memory that the results keep. */
interface Point {
  readonly ms: number;
  readonly mib: number;
}

interface Growth {
  readonly name: string;
  readonly x: string;
  readonly sizes: readonly number[];
  readonly small: readonly number[];
  /** What a profile showed. */
  readonly found?: string;
  /** Does the work; what it gives is kept until memory has been measured. */
  readonly work: (size: number) => Promise<{ readonly ms: number; readonly kept: unknown }>;
}

const SWITCH =
  "What grows faster than the LUNs is collecting garbage, 44 % of the time at 4,096: every LUN's commands and timers are alive at once, " +
  "and are moved by the collector until they are answered. Processor time a LUN: 0.30 ms up to 1,024 LUNs, 0.49 ms at 4,096, and 0.34 ms " +
  "there with a young generation of 64 MiB in place of 16 (--max-semi-space-size), which every command would pay for in memory. No work of " +
  "ours is done per pair of LUNs.";

const GROWTHS: readonly Growth[] = [
  {
    name: "growth: reading the state of LUNs",
    x: "LUNs",
    sizes: [1, 4, 16, 64, 256, 1024, 4096],
    small: [1, 4],
    found:
      "Beyond 512 LUNs a LUN costs 25 to 40 µs, the collector's part in it, up to 16,384; fewer leave it less to do.",
    work: async (size) => {
      const luns = await Promise.all(Array.from({ length: size }, () => registered(4)));
      return await kept(() => Promise.all(luns.map((lun) => readState(lun.nexus("n0")))));
    },
  },
  {
    name: "growth: the switch of a hand-over, 1 ms a command",
    x: "LUNs",
    sizes: [1, 4, 16, 64, 256, 1024, 4096],
    small: [1, 4],
    found: SWITCH,
    work: async (size) => ({ ms: (await simulated(size)).verified, kept: null }),
  },
  {
    name: "growth: reading registrants",
    x: "registrants",
    sizes: [1, 4, 16, 64, 256, 1024],
    small: [1, 4],
    work: async (size) => {
      const lun = await registered(size);
      return await kept(() => readState(lun.nexus("n0")));
    },
  },
  {
    name: "growth: a timeline of events",
    x: "events",
    sizes: [1_000, 10_000, 100_000, 1_000_000],
    small: [50, 100],
    work: (size) => {
      if (recorded.length !== size) recorded = Array.from({ length: size }, (_, i) => eventToJson(event(i)));
      return kept(() => svgFile(recorded.flatMap((line) => eventFromJson(line) ?? [])));
    },
  },
];

/** Growth. */
export const growth: Figure = {
  name: "growth",
  where: "machine",
  measure: async (scale) => {
    const rows: Row[] = [];
    const curves: Curve[] = [];
    for (const each of GROWTHS) {
      const points: [size: number, point: Point][] = [];
      for (const size of scale.small ? each.small : each.sizes) points.push([size, await measured(each, size, scale)]);
      curves.push({
        name: each.name,
        x: each.x,
        y: "milliseconds, MiB",
        series: [
          { name: "milliseconds", points: points.map(([size, { ms }]) => [size, ms] as const) },
          { name: "MiB", points: points.map(([size, { mib }]) => [size, mib] as const) },
        ],
      });
      rows.push(row(each, points));
    }
    return { rows, curves };
  },
};

/**
 * A size is done again and again until it comes to the work of the largest, 16 times at the most, and the mean counts: a run so short
 * that the collector has no part in it would look cheaper than it is, and the growth steeper.
 */
async function measured({ work, sizes }: Growth, size: number, scale: { readonly small: boolean }): Promise<Point> {
  const times: number[] = [];
  let mib = 0;
  const often = scale.small ? 1 : Math.min(16, Math.ceil(sizes.at(-1)! / size));
  for (let round = 0; round < rounds(scale, 3); round++) {
    let sum = 0;
    for (let i = 0; i < often; i++) {
      const before = Deno.memoryUsage().heapUsed;
      const { ms, kept } = await work(size);
      sum += ms;
      if (kept !== null) mib = Math.max(mib, (Deno.memoryUsage().heapUsed - before) / 2 ** 20);
    }
    times.push(sum / often);
  }
  return { ms: sample(times).min, mib }; // the quietest: a disturbance only ever adds
}

/** How the time grows over the upper half of the sizes: the slope of both logarithms, 1 in proportion, 2 quadratic. */
function row({ name, x, found }: Growth, points: readonly (readonly [number, Point])[]): Row {
  const upper = points.slice(-Math.max(2, Math.ceil(points.length / 2)));
  const logarithms = upper.map(([size, { ms }]) => [Math.log(size), Math.log(ms)] as const);
  const mean = (at: 0 | 1): number => logarithms.reduce((sum, each) => sum + each[at], 0) / logarithms.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = logarithms.reduce((sum, [lx, ly]) => sum + (lx - mx) * (ly - my), 0);
  const variance = logarithms.reduce((sum, [lx]) => sum + (lx - mx) ** 2, 0);
  const sizes = upper.map(([size]) => size);
  return {
    figure: `${name}, ${sizes[0]} to ${sizes.at(-1)} ${x}`,
    unit: "exponent",
    prmig: sample([variance === 0 ? 0 : covariance / variance]),
    peers: {},
    targets: [{ says: "linear or better: at most 1.1", against: null, atMost: 1.1 }],
    note: upper.map(([size, { ms, mib }]) => `${size}: ${round(ms)} ms, ${round(mib)} MiB`).join("; ") +
      (found === undefined ? "" : `. ${found}`),
  };
}

/** Processor time, which others on the machine do not lengthen; the collector's and the compiler's threads are in it. */
async function kept<T>(work: () => Promise<T> | T): Promise<{ ms: number; kept: T }> {
  const begun = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(begun);
  return { ms: (user + system) / 1000, kept: result };
}

async function registered(count: number): Promise<MemoryLun> {
  const lun = new MemoryLun({ record: false });
  for (let i = 0; i < count; i++) {
    await prOut(lun.nexus(`n${i}`), { action: "register", rk: 0n, sark: BigInt(i + 1), aptpl: false });
  }
  return lun;
}

/** What was recorded, for one size after the other. */
let recorded: string[] = [];

/** Guests that register and reserve, one after the other, on eight LUNs. */
function event(i: number): PrEvent {
  const lun = `naa.600140500000000${i % 8}`;
  const key = BigInt(1 + (i >> 3) % 5);
  return {
    time: new Date(1_700_000_000_000 + i * 10).toISOString(),
    device: `/dev/sd${"abcdefgh"[i % 8]}`,
    event: "prOut",
    source: "helper",
    serviceAction: i % 16 < 8 ? "REGISTER" : "RESERVE",
    status: "GOOD",
    key,
    newKey: key,
    type: 5,
    before: null,
    after: null,
    lun,
  };
}
