/**
 * The matrix as a page. Pure.
 *
 * @module
 */
import { type Cell, cellsOf, type Harm, nameOf, TYPES } from "./failures.ts";
import type { Ran } from "./run_cell.ts";

/** One run, as it is kept. */
export interface Line {
  readonly cell: Cell;
  /** When it went as it must. */
  readonly ran?: Ran;
  /** When it did not, or was not run. */
  readonly failure?: string;
  /** What it was run on: "Linux 6.1.176 (user-mode), QEMU 7.2.22, Deno 2.9.6". */
  readonly on?: string;
  /** Date of the run, and of what was run. */
  readonly at?: string;
  readonly commit?: string;
}

const HARMS: Readonly<Record<Harm, string>> = {
  "none": "nothing fails",
  "destination killed": "destination QEMU killed",
  "migrate_cancel": "`migrate_cancel`",
  "prmig killed": "prmig killed (SIGKILL), then `prmig recover`",
  "Ctrl-C": "Ctrl-C",
  "ssh cut": "the ssh of recv cut",
  "LUN missing": "destination LUN missing",
  "another LUN": "destination LUN is another one",
};
const MOMENTS = { before: "before the gate", gate: "at the gate, before take", late: "after take" };

/** Replaces what was run again, keeps the rest. */
export function merge(old: readonly Line[], fresh: readonly Line[]): Line[] {
  const names = new Set(fresh.map(({ cell }) => nameOf(cell)));
  return [...old.filter(({ cell }) => !names.has(nameOf(cell))), ...fresh];
}

/** The page. */
export function page(lines: readonly Line[]): string {
  const all = TYPES.flatMap(cellsOf);
  const byName = new Map(lines.map((line) => [nameOf(line.cell), line]));
  const of = (cell: Cell): Line | undefined => byName.get(nameOf(cell));
  const right = all.filter((cell) => of(cell)?.ran).length;
  const wrong = all.filter((cell) => of(cell)?.failure?.startsWith("not run") === false).length;
  const text = [
    "# Migration: the failure matrix\n",
    "Written by `deno task test:matrix`; do not edit. A guest holds a reservation and writes a counter with direct I/O while",
    "`prmig migrate` moves it between two QEMUs on two nexuses of one LUN, and something fails. A run is right when, in the end,",
    "the guest counts on exactly one side, that side alone is registered and holds, nothing is left to recover, and prmig's exit",
    'code is the documented one. At the gate `completed` "after take" means: the guest runs there, and nothing is taken yet.\n',
    "The LUN is LIO fileio, the guest is emulated (TCG). What each run was made on, and of what, is at the end. A run in which QEMU",
    "loses memory of the guest (migrate.md, QEMU before 9.0 without KVM) says nothing of prmig, and is made again.\n",
    `**${right} of ${all.length} runs right, ${wrong} wrong, ${all.length - right - wrong} not run.**\n`,
  ];
  for (const type of TYPES) {
    const cells = cellsOf(type);
    const gates = [...new Set(cells.map(({ gate }) => gate))];
    const rows = [...new Set(cells.map(({ harm, moment }) => `${harm}|${moment}`))];
    text.push(`## Type ${type}\n`, `| | ${gates.join(" | ")} |`, `| --- |${gates.map(() => " --- |").join("")}`);
    for (const row of rows) {
      const [harm, moment] = row.split("|") as [Harm, keyof typeof MOMENTS | "null"];
      const when = moment === "null" ? "" : `, ${MOMENTS[moment]}`;
      const found = gates.map((gate) =>
        cells.find((cell) => cell.gate === gate && `${cell.harm}|${cell.moment}` === row)
      );
      text.push(`| ${HARMS[harm]}${when} | ${found.map((cell) => cell ? told(of(cell)) : "-").join(" | ")} |`);
    }
    text.push("");
  }
  const failures = all.flatMap((cell) =>
    of(cell)?.failure && !of(cell)!.failure!.startsWith("not run") ? [of(cell)!] : []
  );
  if (failures.length > 0) {
    text.push("## Wrong\n", ...failures.map(({ cell, failure }) => `- ${nameOf(cell)}: ${oneLine(failure!)}`), "");
  }
  text.push("## Runs\n", ...countedRuns(lines.filter(({ failure }) => !failure?.startsWith("not run"))));
  return text.join("\n") + "\n";
}

/** How many runs of which commit, when, on what. */
function countedRuns(lines: readonly Line[]): string[] {
  const counts = new Map<string, number>();
  for (const { on = "not noted", at = "not noted", commit = "not noted" } of lines) {
    const row = `| ${at} | ${commit} | ${on} |`;
    counts.set(row, (counts.get(row) ?? 0) + 1);
  }
  return [
    "| date | commit | on | runs |",
    "| --- | --- | --- | --- |",
    ...[...counts].sort().map(([row, count]) => `${row} ${count} |`),
  ];
}

function told(line: Line | undefined): string {
  if (line?.failure !== undefined && !line.failure.startsWith("not run")) return "**wrong**";
  if (!line?.ran) return "not run";
  const { exit, side, failedWrites } = line.ran;
  const lost = failedWrites > 0 ? `, ${failedWrites} write${failedWrites > 1 ? "s" : ""} failed` : "";
  return `${side} (${exit === 137 ? "killed" : `exit ${exit}`}${lost})`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, 400);
}
