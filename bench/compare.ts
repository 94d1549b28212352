/**
 * This run beside the last one that was kept: what has become more than 20 % worse. Pure.
 *
 * Compared are ratios to the peers of the same run, which a busy or another day's machine leaves alone; a row without peers, or
 * measured but once, is compared as it is: that says something only on a quiet machine, and the line says so. Another class of
 * machine (architecture, processor, number of processors) is not compared at all.
 *
 * @module
 */
import type { Row } from "./figure.ts";
import type { Machine } from "./machine.ts";
import { round } from "./table.ts";

/** What is kept of a run. */
export interface Kept {
  readonly date: string;
  readonly machine: Machine;
  /** The labs' machines, when anything was measured there. Runs before 2026-11-29 knew one lab, emulated. */
  readonly lab: Machine | null;
  readonly traced?: Machine | null;
  readonly rows: readonly Row[];
}

/** One figure in two runs. */
export interface Change {
  readonly figure: string;
  /** What it was divided by; `null`: nothing. */
  readonly against: string | null;
  readonly before: number;
  readonly now: number;
  /** How much worse: 1 as it was, 1.25 a quarter worse, below 1 better. */
  readonly worse: number;
}

/** Worse by so much is worse. */
const BOUND = 1.2;

/** Every figure that both runs have, in the order of the table. */
export function changes(before: readonly Row[], now: readonly Row[]): Change[] {
  return now.flatMap((row) => {
    const old = before.find(({ figure, unit }) => figure === row.figure && unit === row.unit);
    if (!old) return [];
    const peers = Object.keys(row.peers).filter((name) => Object.hasOwn(old.peers, name));
    const change = (against: string | null): Change => {
      const [was, is] = [value(old, against), value(row, against)];
      return { figure: row.figure, against, before: was, now: is, worse: isRate(row.unit) ? was / is : is / was };
    };
    return (Object.keys(row.peers).length === 0 ? [change(null)] : peers.map(change))
      .filter(({ worse }) => Number.isFinite(worse));
  });
}

/** The comparison in words: a line for each figure that fell, or that none did, or why nothing is compared. */
export function comparison(before: Kept | null, now: Kept): string {
  if (before === null) return "Compared with nothing: no earlier run is kept.\n";
  const name = `prmig ${before.machine.prmig} of ${before.date.slice(0, 10)}`;
  const places = ["machine", "lab", "traced"] as const;
  if (!places.every((place) => sameClass(before[place], now[place]))) {
    return `Not compared with ${name}: that was measured on another class of machine.\n`;
  }
  const all = changes(before.rows, now.rows);
  const fallen = all.filter(({ worse }) => worse > BOUND);
  const lines = fallen.map(({ figure, against, before, now, worse }) => {
    const what = against === null ? "as it is, machine and all" : `divided by ${against}`;
    return `FELL by ${round((worse - 1) * 100)} %: ${figure}, ${what}: ${round(before)} -> ${round(now)}`;
  });
  const bound = `${round((BOUND - 1) * 100)} %`;
  const outcome = `${all.length} figures compared with ${name}, ${fallen.length} fell by more than ${bound}`;
  return [outcome + (fallen.length > 0 ? ":" : "."), ...lines].join("\n") + "\n";
}

/** The latest of some runs. */
export function latest(runs: readonly Kept[]): Kept | null {
  return runs.toSorted((a, b) => a.date < b.date ? -1 : 1).at(-1) ?? null;
}

function value({ prmig, peers }: Row, against: string | null): number {
  return against === null ? prmig.median : prmig.median / peers[against]!.median;
}

/** More is better. All other units are times, sizes, shares and exponents. */
function isRate(unit: string): boolean {
  return unit.endsWith("/s");
}

function sameClass(a: Machine | null | undefined, b: Machine | null | undefined): boolean {
  if (!a || !b) return true; // nothing of it is compared
  return a.architecture === b.architecture && a.processor === b.processor && a.processors === b.processors;
}
