/** Scenarios C32 to C36: what unregistering does to the reservation. @module */
import { forTypes, K1, K2, type Scenario, scenario } from "./scenario.ts";
import { held, quiet, register, release, reserve, state, told } from "./steps.ts";

/** Scenarios about unregistering. */
export const UNREGISTER_SCENARIOS: readonly Scenario[] = [
  ...forTypes([1, 3, 5, 6], (type) =>
    scenario("C32", "the holder's unregistering releases the reservation", [
      register("A", 0n, K1),
      register("B", 0n, K2),
      reserve("A", K1, type),
      state({ A: K1, B: K2 }, held(type, "A")),
      register("A", K1, 0n),
      state({ B: K2 }, null),
    ])),
  ...forTypes([7, 8], (type) =>
    scenario("C33", "a reservation of all registrants outlives the one who made it", [
      register("A", 0n, K1),
      register("B", 0n, K2),
      reserve("A", K1, type),
      register("A", K1, 0n),
      state({ B: K2 }, held(type, "all")),
      release("B", K2, type),
      state({ B: K2 }, null),
    ])),
  scenario("C34", "the end of a registrants-only reservation is told to the registrants", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    reserve("A", K1, 5),
    register("A", K1, 0n),
    told("B", "2A/04"),
    quiet("A"),
    state({ B: K2 }, null),
  ]),
  scenario("C35", "the end of a Write Exclusive reservation is told to nobody", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    reserve("A", K1, 1),
    register("A", K1, 0n),
    quiet("B", "A"),
    state({ B: K2 }, null),
  ]),
  scenario("C36", "a reservation of all registrants ends with the last of them", [
    register("A", 0n, K1),
    reserve("A", K1, 7),
    state({ A: K1 }, held(7, "all")),
    register("A", K1, 0n),
    state({}, null),
  ]),
];
