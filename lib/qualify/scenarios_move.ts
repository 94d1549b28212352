/** Scenarios C66 to C75: REGISTER AND MOVE, and registering for others by SPEC_I_PT. @module */
import { PR_OUT_ACTION } from "../pr/cdb.ts";
import { K1, K2, K3, type Scenario, scenario, type Step } from "./scenario.ts";
import { clear, held, move, out, preempt, quiet, register, release, reserve, state, told } from "./steps.ts";

const MOVE = { needs: ["registerAndMove", "readFullStatus"] } as const;
const SPEC_I_PT = { needs: ["specIPt", "readFullStatus"] } as const;

/** A held under K1 and moved its reservation to B, under K2; A is still registered. */
const moved: readonly Step[] = [
  register("A", 0n, K1),
  reserve("A", K1, 5),
  move("A", "B", { rk: K1, sark: K2, unreg: false }),
];

/** Scenarios about REGISTER AND MOVE and SPEC_I_PT. */
export const MOVE_SCENARIOS: readonly Scenario[] = [
  scenario("C66", "REGISTER AND MOVE gives the reservation away and leaves", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    state({ A: K1 }, held(5, "A")),
    move("A", "B", { rk: K1, sark: K2, unreg: true }),
    state({ B: K2 }, held(5, "B"), { generation: 1 }),
    quiet("A", "B"),
  ], MOVE),
  scenario("C67", "REGISTER AND MOVE gives the reservation away and stays registered", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    move("A", "B", { rk: K1, sark: K2, unreg: false }),
    state({ A: K1, B: K2 }, held(5, "B")),
  ], MOVE),
  scenario("C68", "REGISTER AND MOVE replaces the key of a destination that was registered", [
    register("A", 0n, K1),
    register("B", 0n, K3),
    reserve("A", K1, 5),
    move("A", "B", { rk: K1, sark: K2, unreg: true }),
    state({ B: K2 }, held(5, "B")),
  ], MOVE),
  scenario("C68-cleared", "a nexus that got its registration by REGISTER AND MOVE hears of a CLEAR", [
    moved,
    clear("A", K1),
    state({}, null),
    told("B", "2A/03"),
  ], MOVE),
  scenario("C68-preempted", "a nexus that got its registration by REGISTER AND MOVE hears of being preempted", [
    moved,
    preempt("A", K1, K2, 5),
    state({ A: K1 }, held(5, "A")),
    told("B", "2A/05"),
  ], MOVE),
  scenario("C68-released", "a nexus that got its registration by REGISTER AND MOVE hears of a RELEASE", [
    moved,
    register("C", 0n, K3),
    release("B", K2, 5),
    told("A", "2A/04"),
    told("C", "2A/04"),
    reserve("C", K3, 6),
    release("C", K3, 6),
    told("A", "2A/04"),
    told("B", "2A/04"),
  ], MOVE),
  scenario("C69", "REGISTER AND MOVE without a reservation is refused", [
    register("A", 0n, K1),
    move("A", "B", { rk: K1, sark: K2, unreg: true }, "05/24/00"),
    state({ A: K1 }, null),
  ], MOVE),
  scenario("C70", "REGISTER AND MOVE of a reservation of all registrants conflicts", [
    register("A", 0n, K1),
    reserve("A", K1, 7),
    move("A", "B", { rk: K1, sark: K2, unreg: true }, "conflict"),
    state({ A: K1 }, held(7, "all")),
  ], MOVE),
  scenario("C71", "REGISTER AND MOVE by a registrant that does not hold conflicts", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    register("B", 0n, K2),
    move("B", "C", { rk: K2, sark: K3, unreg: true }, "conflict"),
    state({ A: K1, B: K2 }, held(5, "A")),
  ], MOVE),
  scenario("C72", "REGISTER AND MOVE under key 0, or to oneself, is refused", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    move("A", "B", { rk: K1, sark: 0n, unreg: true }, "05/26/00"),
    move("A", "A", { rk: K1, sark: K2, unreg: true }, "05/26/00"),
    state({ A: K1 }, held(5, "A")),
  ], MOVE),
  scenario("C73", "REGISTER with SPEC_I_PT registers the named initiator too", [
    out("A", { action: PR_OUT_ACTION.register, rk: 0n, sark: K1, naming: ["B"] }),
    state({ A: K1, B: K1 }, null),
  ], SPEC_I_PT),
  scenario("C73-cleared", "a nexus registered by SPEC_I_PT hears of a CLEAR", [
    out("A", { action: PR_OUT_ACTION.register, rk: 0n, sark: K1, naming: ["B"] }),
    clear("A", K1),
    state({}, null),
    told("B", "2A/03"),
  ], SPEC_I_PT),
  scenario("C74", "SPEC_I_PT is for REGISTER by a stranger only", [
    register("A", 0n, K1),
    out("A", { action: PR_OUT_ACTION.register, rk: K1, sark: K2, naming: ["B"] }, "05/26/00"),
    out("A", { action: PR_OUT_ACTION.registerAndIgnore, sark: K2, naming: ["B"] }, "05/26/00"),
    state({ A: K1 }, null, { generation: 1 }),
  ], SPEC_I_PT),
  scenario("C75", "SPEC_I_PT naming an initiator that is registered: all or nothing", [
    register("B", 0n, K2),
    out("A", { action: PR_OUT_ACTION.register, rk: 0n, sark: K1, naming: ["B"] }, "05/26/00"),
    state({ B: K2 }, null),
  ], SPEC_I_PT),
];
