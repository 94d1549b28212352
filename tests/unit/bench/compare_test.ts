import assert from "node:assert/strict";
import { changes, comparison, type Kept, latest } from "../../../bench/compare.ts";
import type { Row } from "../../../bench/figure.ts";
import type { Machine } from "../../../bench/machine.ts";
import { sample } from "../../../bench/measure.ts";

const MACHINE: Machine = {
  ...{ prmig: "1.0.0", deno: "2", v8: "1", architecture: "x86_64", processor: "P", processors: 2, memoryMiB: 1 },
  ...{ kernel: "6", load: [0] },
};

function row(figure: string, unit: string, prmig: number, peers: Record<string, number> = {}): Row {
  const samples = Object.fromEntries(Object.entries(peers).map(([name, each]) => [name, sample([each])]));
  return { figure, unit, prmig: sample([prmig]), peers: samples, targets: [] };
}

function run(rows: readonly Row[], more: Partial<Kept> = {}): Kept {
  return { date: "2026-01-02T03:04:05Z", machine: MACHINE, lab: null, rows, ...more };
}

Deno.test("a run on a slower machine is compared by ratios: both slower, nothing fell", () => {
  const before = run([row("start", "ms", 20, { empty: 10 })]);
  const now = run([row("start", "ms", 80, { empty: 40 })]);
  assert.equal(
    comparison(before, now),
    "1 figures compared with prmig 1.0.0 of 2026-01-02, 0 fell by more than 20 %.\n",
  );
});

Deno.test("a figure that became a fifth worse is named, one a little less is not; of rates less is worse, of times more", () => {
  const before = run([
    row("slower", "ms", 20, { c: 10, script: 100 }),
    row("a little slower", "ms", 20, { c: 10 }),
    row("fewer", "requests/s", 1000),
    row("more", "requests/s", 1000),
  ]);
  const now = run([
    row("slower", "ms", 25, { c: 10, script: 100, another: 1 }),
    row("a little slower", "ms", 23.9, { c: 10 }),
    row("fewer", "requests/s", 800),
    row("more", "requests/s", 2000),
  ]);
  assert.deepEqual(comparison(before, now).split("\n"), [
    "5 figures compared with prmig 1.0.0 of 2026-01-02, 3 fell by more than 20 %:",
    "FELL by 25 %: slower, divided by c: 2 -> 2.5",
    "FELL by 25 %: slower, divided by script: 0.2 -> 0.25",
    "FELL by 25 %: fewer, as it is, machine and all: 1,000 -> 800",
    "",
  ]);
});

Deno.test("new figures, figures in another unit, and those whose peer measured nothing are not compared", () => {
  const before = [row("unit", "ms", 1), row("nothing", "MiB", 0), row("peer", "ms", 1, { old: 1 })];
  const now = [row("unit", "µs", 1), row("nothing", "MiB", 0), row("peer", "ms", 9, { new: 1 }), row("new", "ms", 1)];
  assert.deepEqual(changes(before, now), []);
});

Deno.test("another class of machine is not compared, here or in the lab; another kernel or load is", () => {
  const rows = [row("start", "ms", 20, { empty: 10 })];
  const other = { ...MACHINE, processor: "Q" };
  assert.match(comparison(run(rows, { machine: other }), run(rows)), /^Not compared with .* another class of machine/);
  assert.match(comparison(run(rows, { lab: other }), run(rows, { lab: MACHINE })), /^Not compared/);
  assert.match(comparison(run(rows, { machine: { ...MACHINE, kernel: "5", load: [9] } }), run(rows)), /^1 figures/);
  assert.match(comparison(null, run(rows)), /^Compared with nothing/);
});

Deno.test("the latest run counts, whatever the order of the files", () => {
  const [old, young] = [run([], { date: "2026-01-02T00:00:00Z" }), run([], { date: "2026-01-10T00:00:00Z" })];
  assert.equal(latest([young, old]), young);
  assert.equal(latest([]), null);
});
