/** Scenarios C06 to C16 and C88: REGISTER, REGISTER AND IGNORE EXISTING KEY, unregistering. @module */
import { K1, K2, K9, type Scenario, scenario } from "./scenario.ts";
import { held, register, registerIgnoring, reserve, state } from "./steps.ts";

/** Scenarios about registering. */
export const REGISTER_SCENARIOS: readonly Scenario[] = [
  scenario("C06", "REGISTER AND IGNORE EXISTING KEY registers a stranger", [
    registerIgnoring("A", K1),
    state({ A: K1 }, null, { generation: 1 }),
  ]),
  scenario("C07", "REGISTER 0 -> K1 registers a stranger", [
    register("A", 0n, K1),
    state({ A: K1 }, null, { generation: 1 }),
  ]),
  scenario("C08", "REGISTER 0 -> 0 by a stranger is GOOD, registers nothing and counts", [
    register("A", 0n, 0n),
    state({}, null, { generation: 1 }),
  ]),
  scenario("C09", "REGISTER by a stranger with a key it does not have conflicts", [
    register("A", K9, K1, "conflict"),
    state({}, null, { generation: 0 }),
  ]),
  scenario("C10", "REGISTER 0 -> K2 by a registrant conflicts", [
    register("A", 0n, K1),
    register("A", 0n, K2, "conflict"),
    state({ A: K1 }, null, { generation: 1 }),
  ]),
  scenario("C11", "REGISTER K1 -> K2 changes the key", [
    register("A", 0n, K1),
    register("A", K1, K2),
    state({ A: K2 }, null, { generation: 2 }),
  ]),
  scenario("C12", "REGISTER AND IGNORE EXISTING KEY changes the key whatever RK says", [
    register("A", 0n, K1),
    registerIgnoring("A", K2, "good", K9),
    state({ A: K2 }, null, { generation: 2 }),
  ]),
  scenario("C13", "REGISTER AND IGNORE EXISTING KEY 0 by a stranger registers nothing and counts", [
    registerIgnoring("A", 0n),
    state({}, null, { generation: 1 }),
  ]),
  scenario("C14", "REGISTER K1 -> 0 unregisters and counts", [
    register("A", 0n, K1),
    state({ A: K1 }, null, { generation: 1 }),
    register("A", K1, 0n),
    state({}, null, { generation: 1 }),
  ]),
  scenario("C15", "two nexuses may share a key, which is then listed twice", [
    register("A", 0n, K1),
    register("B", 0n, K1),
    state({ A: K1, B: K1 }, null, { generation: 2 }),
  ]),
  scenario("C16", "a changed key changes for its own nexus only", [
    register("A", 0n, K1),
    register("B", 0n, K1),
    register("A", K1, K2),
    state({ A: K2, B: K1 }, null, { generation: 3 }),
  ]),
  scenario("C88", "the holder's new key shows in READ RESERVATION, the type stays", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    register("A", K1, K2),
    state({ A: K2 }, held(5, "A"), { generation: 2 }),
  ]),
];
