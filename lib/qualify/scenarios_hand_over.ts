/**
 * Scenarios C90 to C96: a reservation moved by one-time keys, rolled back, and with trouble on the way.
 *
 * A is the source, B the destination, C a third party that shares the guest's key K1; X and Y are one-time keys.
 *
 * @module
 */
import { K1, type Scenario, scenario, type Step, X, Y } from "./scenario.ts";
import { held, preempt, quiet, register, registerIgnoring, reserve, state, told, troubled } from "./steps.ts";

const BEFORE: readonly Step[] = [
  register("A", 0n, K1),
  reserve("A", K1, 5),
  register("C", 0n, K1),
  state({ A: K1, C: K1 }, held(5, "A")),
];
const COMMIT = register("A", K1, X);
const PREPARE = registerIgnoring("B", Y);
const TAKE = preempt("B", Y, X, 5);
const SETTLE = register("B", Y, K1);

/** Scenarios about hand-overs. */
export const HAND_OVER_SCENARIOS: readonly Scenario[] = [
  scenario("C90", "a hand-over by one-time keys touches nobody else", [
    BEFORE,
    COMMIT,
    PREPARE,
    TAKE,
    SETTLE,
    state({ B: K1, C: K1 }, held(5, "B"), { generation: 4 }),
    quiet("C"),
    told("A", "2A/05"),
  ]),
  scenario("C90-pair", "a hand-over by one-time keys, with nobody looking on", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    state({ A: K1 }, held(5, "A")),
    COMMIT,
    PREPARE,
    TAKE,
    SETTLE,
    state({ B: K1 }, held(5, "B"), { generation: 4 }),
  ]),
  scenario("C91", "a hand-over cut after the take is rolled back, and touches nobody else", [
    BEFORE,
    COMMIT,
    PREPARE,
    TAKE,
    registerIgnoring("A", X, "06/2A/05"),
    registerIgnoring("A", X),
    preempt("A", X, Y, 5),
    register("A", X, K1),
    state({ A: K1, C: K1 }, held(5, "A")),
    quiet("C"),
    told("B", "2A/05"),
  ]),
  scenario("C91-pair", "a hand-over cut after the take is rolled back, with nobody looking on", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    COMMIT,
    PREPARE,
    TAKE,
    registerIgnoring("A", X, ["06/2A/05", "06/2A/03"]),
    registerIgnoring("A", X),
    preempt("A", X, Y, 5),
    register("A", X, K1),
    state({ A: K1 }, held(5, "A")),
  ]),
  scenario("C92", "a mere registration moves by REGISTER here and unregistering there", [
    register("A", 0n, K1),
    register("B", 0n, K1),
    register("A", K1, 0n),
    state({ B: K1 }, null),
  ]),
  scenario("C93", "REGISTER that works and says 02/08/00: the key is there, a repeat conflicts", [
    register("A", 0n, K1, "02/08/00"),
    state({ A: K1 }, null),
    register("A", 0n, K1, "conflict"),
    state({ A: K1 }, null),
  ], { needs: ["noAptplFile"] }),
  scenario("C94", "the take times out and was executed: the LUN says so, and the rest goes on", [
    BEFORE,
    COMMIT,
    PREPARE,
    troubled(TAKE, "timeoutDone", "lost"),
    state({ B: Y, C: K1 }, held(5, "B")),
    SETTLE,
    state({ B: K1, C: K1 }, held(5, "B")),
  ], { needs: ["trouble"] }),
  scenario("C95", "the take times out and was not executed: the LUN says so, and it is sent again", [
    BEFORE,
    COMMIT,
    PREPARE,
    troubled(TAKE, "timeoutNotDone", "lost"),
    state({ A: X, B: Y, C: K1 }, held(5, "A"), { generation: 2 }),
    TAKE,
    state({ B: Y, C: K1 }, held(5, "B"), { generation: 1 }),
  ], { needs: ["trouble"] }),
  scenario("C96", "BUSY and TASK SET FULL mean not executed", [
    troubled(register("A", 0n, K1), "busy", "busy"),
    troubled(register("A", 0n, K1), "busy", "busy"),
    troubled(register("A", 0n, K1), "taskSetFull", "taskSetFull"),
    register("A", 0n, K1),
    state({ A: K1 }, null, { generation: 1 }),
  ], { needs: ["trouble"] }),
];
