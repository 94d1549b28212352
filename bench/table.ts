/**
 * The table: each figure, its peers, its targets. Pure.
 *
 * @module
 */
import type { Row, Sample, Target } from "./figure.ts";

/** Is the target met? */
export function met({ prmig, peers }: Row, { against, atMost = Infinity, atLeast = -Infinity }: Target): boolean {
  const ratio = against === null ? prmig.median : prmig.median / insist(peers[against], against).median;
  return ratio <= atMost && ratio >= atLeast;
}

/** The table as text, 120 columns or as many as it needs. */
export function tableText(rows: readonly Row[]): string {
  const lines: string[][] = [["FIGURE", "", "MEDIAN", "RANGE", "PRMIG /", "TARGET"]];
  for (const row of rows) {
    lines.push([row.figure, "prmig", value(row.prmig, row.unit), range(row.prmig), "", ""]);
    const first = lines.length - 1;
    for (const [name, sample] of Object.entries(row.peers)) {
      const ratio = sample.median === 0 ? "-" : `${round(row.prmig.median / sample.median)} x`;
      lines.push(["", name, value(sample, row.unit), range(sample), ratio, ""]);
    }
    row.targets.forEach((target, i) => {
      const line = lines[first + i] ?? lines[lines.push(["", "", "", "", "", ""]) - 1]!;
      line[5] = `${met(row, target) ? "met" : "MISSED"}: ${target.says}`;
    });
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const numbers = [2, 3, 4];
  const text = lines.map((line) =>
    line.map((cell, column) => numbers.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))
      .join("  ").trimEnd()
  );
  const notes = rows.filter(({ note }) => note !== undefined).map(({ figure, note }) => `${figure}: ${note}`);
  return [...text, ...(notes.length > 0 ? ["", ...notes] : [])].join("\n") + "\n";
}

/** Three digits that count. */
export function round(number: number): string {
  if (number === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number))));
  return Number(number.toFixed(Math.min(digits, 6))).toLocaleString("en-US", { maximumFractionDigits: 6 });
}

function value({ median }: Sample, unit: string): string {
  return `${round(median)} ${unit}`;
}

function range({ min, max, count }: Sample): string {
  return count === 1 ? "once" : `${round(min)}-${round(max)} (${count})`;
}

function insist<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new RangeError(`there is no peer "${name}"`);
  return value;
}
