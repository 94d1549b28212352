/**
 * All figures, in the order of the table. A new one: a module under figures/, and a line here.
 *
 * @module
 */
import type { Figure, Findings, Scale } from "./figure.ts";
import { engines } from "./figures/engines.ts";
import { growth } from "./figures/growth.ts";
import { guest } from "./figures/guest.ts";
import { handOver } from "./figures/hand_over.ts";
import { handOverLio } from "./figures/hand_over_lio.ts";
import { sgIo } from "./figures/sg_io.ts";
import { sgIoMachine } from "./figures/sg_io_machine.ts";
import { snoop } from "./figures/snoop.ts";
import { snoopMachine } from "./figures/snoop_machine.ts";
import { states } from "./figures/states.ts";
import { startUp } from "./figures/start_up.ts";
import { watch } from "./figures/watch.ts";

/** All figures. */
export const FIGURES: readonly Figure[] = [
  startUp,
  handOver,
  engines,
  growth,
  snoopMachine,
  sgIoMachine,
  sgIo,
  handOverLio,
  guest,
  states,
  snoop,
  watch,
];

/** Measures some figures, one after the other. */
export async function measureAll(
  figures: readonly Figure[],
  scale: Scale,
  say: (line: string) => void,
): Promise<Findings & { readonly failed: readonly string[] }> {
  const all: Findings[] = [];
  const failed: string[] = [];
  for (const { name, measure } of figures) {
    const begun = performance.now();
    try {
      all.push(await measure(scale));
    } catch (error) {
      // A run takes a quarter of an hour: what the others found is kept, and the run fails.
      failed.push(name);
      say(`${name} FAILED: ${error instanceof Error ? error.stack : error}`);
    }
    say(`${name}: ${Math.round((performance.now() - begun) / 1000)} s`);
  }
  return { rows: all.flatMap(({ rows }) => rows), curves: all.flatMap(({ curves = [] }) => curves), failed };
}
