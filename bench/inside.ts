/**
 * The part of `deno task bench` that runs in the lab: measures the figures named in the arguments (all that need a
 * lab, without any) and leaves what it found, with what the lab is, in /lab-out/bench.json.
 *
 *     deno run -A bench/inside.ts [--small] [NAME...]
 *
 * @module
 */
import type { Curve, Row } from "./figure.ts";
import { FIGURES, measureAll } from "./figures.ts";
import { thisMachine } from "./machine.ts";

const small = Deno.args.includes("--small");
const names = Deno.args.filter((word) => !word.startsWith("--"));
const chosen = FIGURES.filter(({ name, where }) => where !== "machine" && (names.length === 0 || names.includes(name)));
const machine = thisMachine();
const found = { machine, measured: [] as string[], rows: [] as Row[], curves: [] as Curve[], failed: [] as string[] };
const keep = (): Promise<void> => Deno.writeTextFile("/lab-out/bench.json", JSON.stringify(found));
await keep();
for (const figure of chosen) {
  const { rows, curves, failed } = await measureAll([figure], { small }, (line) => console.error(`bench: ${line}`));
  found.measured.push(figure.name);
  found.rows.push(...rows);
  found.curves.push(...curves ?? []);
  found.failed.push(...failed);
  // After each: a lab whose time is over takes with it only what it had not measured yet.
  await keep();
}
