/**
 * All figures, in the order of the table. A new one: a module under figures/, and a line here.
 *
 * @module
 */
import type { Figure, Findings, Scale } from "./figure.ts";
import { engines } from "./figures/engines.ts";
import { growth } from "./figures/growth.ts";
import { handOver } from "./figures/hand_over.ts";
import { handOverLio } from "./figures/hand_over_lio.ts";
import { sgIo } from "./figures/sg_io.ts";
import { snoop } from "./figures/snoop.ts";
import { states } from "./figures/states.ts";
import { startUp } from "./figures/start_up.ts";

/** All figures. */
export const FIGURES: readonly Figure[] = [
  startUp,
  handOver,
  engines,
  growth,
  sgIo,
  handOverLio,
  states,
  snoop,
];

/** Measures some figures, one after the other. */
export async function measureAll(
  figures: readonly Figure[],
  scale: Scale,
  say: (line: string) => void,
): Promise<Findings> {
  const all: Findings[] = [];
  for (const { name, measure } of figures) {
    const begun = performance.now();
    all.push(await measure(scale));
    say(`${name}: ${Math.round((performance.now() - begun) / 1000)} s`);
  }
  return { rows: all.flatMap(({ rows }) => rows), curves: all.flatMap(({ curves = [] }) => curves) };
}
