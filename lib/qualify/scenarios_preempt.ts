/** Scenarios C47 to C65: PREEMPT, by key of a registrant, of the holder, of oneself, of nobody. @module */
import { K1, K2, K3, K9, type Scenario, scenario } from "./scenario.ts";
import { held, preempt, preemptAndAbort, quiet, register, reserve, state, told } from "./steps.ts";

const FREED_REGISTRATION = { lio: "touches the registration it has just freed: only on a kernel to be thrown away" };

/** A holds `type` under K1; B and C are registered under K2 and K3. */
const threeUnder = (type: number) => [
  register("A", 0n, K1),
  register("B", 0n, K2),
  register("C", 0n, K3),
  reserve("A", K1, type),
];

/** Scenarios about PREEMPT. */
export const PREEMPT_SCENARIOS: readonly Scenario[] = [
  scenario("C47", "nothing reserved: PREEMPT removes the registrations under SARK", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    state({ A: K1, B: K2 }, null),
    preempt("B", K2, K1, 5),
    state({ B: K2 }, null, { generation: 1 }),
  ]),
  scenario("C48", "a preempted registrant is told so, the preemptor is not", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    preempt("B", K2, K1, 5),
    told("A", "2A/05"),
    quiet("B"),
  ]),
  scenario("C49", "PREEMPT of the holder with the same type", [
    threeUnder(5),
    state({ A: K1, B: K2, C: K3 }, held(5, "A"), { via: "A" }),
    preempt("B", K2, K1, 5),
    state({ B: K2, C: K3 }, held(5, "B"), { generation: 1 }),
    told("A", "2A/05"),
    quiet("C", "B"),
  ]),
  scenario("C50", "PREEMPT of the holder with another type tells the other registrants", [
    threeUnder(5),
    preempt("B", K2, K1, 6),
    state({ B: K2, C: K3 }, held(6, "B")),
    told("A", "2A/05"),
    told("C", "2A/04"),
    quiet("B"),
  ]),
  scenario("C51", "PREEMPT of the holder removes all who share its key", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    register("C", 0n, K1),
    reserve("A", K1, 5),
    preempt("B", K2, K1, 5),
    state({ B: K2 }, held(5, "B")),
    told("A", "2A/05"),
    told("C", "2A/05"),
  ]),
  scenario("C52", "PREEMPT of a registrant leaves the reservation, whatever its TYPE says", [
    threeUnder(5),
    preempt("B", K2, K3, 1),
    state({ A: K1, B: K2 }, held(5, "A")),
    told("C", "2A/05"),
    quiet("A", "B"),
  ]),
  scenario("C53", "PREEMPT of a key nobody has conflicts", [
    threeUnder(5),
    state({ A: K1, B: K2, C: K3 }, held(5, "A"), { via: "A" }),
    preempt("B", K2, K9, 5, "conflict"),
    state({ A: K1, B: K2, C: K3 }, held(5, "A"), { generation: 0 }),
  ]),
  scenario("C54", "PREEMPT of key 0 is refused unless all registrants hold", [
    threeUnder(5),
    preempt("B", K2, 0n, 5, "05/26/00"),
    state({ A: K1, B: K2, C: K3 }, held(5, "A")),
  ]),
  scenario("C55", "PREEMPT of key 0 while all registrants hold removes everybody else", [
    threeUnder(7),
    preempt("B", K2, 0n, 7),
    state({ B: K2 }, held(7, "all")),
    told("A", "2A/05"),
    told("C", "2A/05"),
    quiet("B"),
  ]),
  scenario("C56", "PREEMPT of key 0 while all registrants hold sets the new type", [
    threeUnder(7),
    preempt("B", K2, 0n, 1),
    state({ B: K2 }, held(1, "B")),
    told("A", "2A/05"),
    told("C", "2A/05"),
  ]),
  scenario("C57", "PREEMPT of one of all registrants removes it and leaves the type", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    reserve("A", K1, 7),
    preempt("B", K2, K1, 5),
    state({ B: K2 }, held(7, "all")),
    told("A", "2A/05"),
  ]),
  scenario("C58", "the holder preempts itself: the type changes without a gap", [
    register("A", 0n, K1),
    register("C", 0n, K3),
    reserve("A", K1, 5),
    preempt("A", K1, K1, 6),
    state({ A: K1, C: K3 }, held(6, "A")),
    told("C", "2A/04"),
    quiet("A"),
  ]),
  scenario("C59", "nothing reserved: PREEMPT of one's own key removes oneself too", [
    register("A", 0n, K1),
    register("B", 0n, K1),
    preempt("B", K1, K1, 5),
    state({}, null),
    told("A", "2A/05"),
    quiet("B"),
  ], { unsafeOn: FREED_REGISTRATION }),
  scenario("C60", "PREEMPT of one's own key, held by another nexus: the reservation moves", [
    register("A", 0n, K1),
    register("B", 0n, K1),
    reserve("A", K1, 5),
    preempt("B", K1, K1, 5),
    state({ B: K1 }, held(5, "B")),
    told("A", "2A/05"),
    quiet("B"),
  ]),
  scenario("C61", "PREEMPT of one's own key, held under another: oneself goes, the holder stays", [
    register("A", 0n, K1),
    register("B", 0n, K1),
    register("C", 0n, K3),
    reserve("C", K3, 5),
    preempt("B", K1, K1, 5),
    state({ C: K3 }, held(5, "C")),
    told("A", "2A/05"),
    quiet("B", "C"),
  ], { unsafeOn: FREED_REGISTRATION }),
  scenario("C62", "PREEMPT of one's own key while all registrants hold: nobody is left", [
    register("A", 0n, K1),
    register("B", 0n, K1),
    reserve("A", K1, 8),
    preempt("B", K1, K1, 8),
    state({}, null),
    told("A", "2A/05"),
  ]),
  scenario("C63", "PREEMPT that removes registrations ignores TYPE 0", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    preempt("B", K2, K1, 0),
    state({ B: K2 }, null),
  ]),
  scenario("C64", "PREEMPT by a stranger conflicts", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    preempt("B", K2, K1, 5, "conflict"),
    state({ A: K1 }, held(5, "A"), { via: "A" }),
  ]),
  scenario("C65", "PREEMPT AND ABORT of the holder leaves the same state as PREEMPT", [
    threeUnder(5),
    preemptAndAbort("B", K2, K1, 5),
    state({ B: K2, C: K3 }, held(5, "B")),
    told("A", "2A/05"),
    quiet("C"),
  ], { needs: ["preemptAndAbort"], unsafeOn: { "lio-tcm-loop": "hangs the command for ever on tcm_loop" } }),
];
