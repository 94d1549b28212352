/**
 * The part of `deno task bench` that runs in the lab: measures the figures named in the arguments (all that need the lab,
 * without any) and leaves what it found, with what the lab is, in /lab-out/bench.json.
 *
 *     deno run -A bench/inside.ts [--small] [NAME...]
 *
 * @module
 */
import { FIGURES, measureAll } from "./figures.ts";
import { thisMachine } from "./machine.ts";

const small = Deno.args.includes("--small");
const names = Deno.args.filter((word) => !word.startsWith("--"));
const chosen = FIGURES.filter(({ name, where }) => where === "lab" && (names.length === 0 || names.includes(name)));
const machine = thisMachine();
const findings = await measureAll(chosen, { small }, (line) => console.error(`bench: ${line}`));
await Deno.writeTextFile("/lab-out/bench.json", JSON.stringify({ machine, ...findings }));
