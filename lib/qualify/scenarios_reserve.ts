/** Scenarios C17 to C25 and C37 to C46: RESERVE, RELEASE, CLEAR. @module */
import { PR_OUT_ACTION } from "../pr/cdb.ts";
import { forTypes, K1, K2, K9, type Player, type Scenario, scenario } from "./scenario.ts";
import { clear, held, out, quiet, register, release, reserve, state, told } from "./steps.ts";

const ALL_TYPES = [1, 3, 5, 6, 7, 8];
const holderOf = (type: number): Player | "all" => (type >= 7 ? "all" : "A");

/** Scenarios about RESERVE, RELEASE, CLEAR. */
export const RESERVE_SCENARIOS: readonly Scenario[] = [
  ...forTypes(ALL_TYPES, (type) =>
    scenario("C17", "RESERVE, READ RESERVATION, RELEASE", [
      register("A", 0n, K1),
      reserve("A", K1, type),
      state({ A: K1 }, held(type, holderOf(type)), { generation: 1 }),
      release("A", K1, type),
      state({ A: K1 }, null, { generation: 0 }),
    ])),
  scenario("C18", "RESERVE of obsolete and reserved types is refused", [
    register("A", 0n, K1),
    [0, 2, 4, 9].map((type) => reserve("A", K1, type, "05/24/00")),
    state({ A: K1 }, null, { generation: 1 }),
  ]),
  scenario("C19", "RESERVE of another scope than the logical unit is refused", [
    register("A", 0n, K1),
    out("A", { action: PR_OUT_ACTION.reserve, rk: K1, type: 5, scope: 1 }, "05/24/00"),
    state({ A: K1 }, null),
  ]),
  scenario("C20", "RESERVE with a key that is not the sender's conflicts", [
    register("A", 0n, K1),
    reserve("A", K9, 5, "conflict"),
    state({ A: K1 }, null),
  ]),
  scenario("C21", "RESERVE by a stranger conflicts, though nothing is reserved", [
    reserve("A", 0n, 5, "conflict"),
    state({}, null),
  ]),
  scenario("C22", "RESERVE of what the sender holds is GOOD and changes nothing", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    reserve("A", K1, 5),
    state({ A: K1 }, held(5, "A"), { generation: 1 }),
  ]),
  scenario("C23", "RESERVE of another type by the holder conflicts", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    reserve("A", K1, 6, "conflict"),
    state({ A: K1 }, held(5, "A")),
  ]),
  scenario("C24", "RESERVE by a registrant conflicts while somebody else holds", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    register("B", 0n, K2),
    reserve("B", K2, 5, "conflict"),
    state({ A: K1, B: K2 }, held(5, "A")),
  ]),
  scenario("C25", "RESERVE of the same all-registrants type by any registrant is GOOD", [
    register("A", 0n, K1),
    reserve("A", K1, 7),
    register("B", 0n, K2),
    reserve("B", K2, 7),
    state({ A: K1, B: K2 }, held(7, "all")),
  ]),
  scenario("C37", "RELEASE of a registrants-only type tells the other registrants", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    reserve("A", K1, 5),
    state({ A: K1, B: K2 }, held(5, "A")),
    release("A", K1, 5),
    state({ A: K1, B: K2 }, null, { generation: 0 }),
    told("B", "2A/04"),
    quiet("A"),
  ]),
  scenario("C38", "RELEASE of Exclusive Access tells nobody", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    reserve("A", K1, 3),
    release("A", K1, 3),
    state({ A: K1, B: K2 }, null),
    quiet("B"),
  ]),
  scenario("C39", "RELEASE of another type by the holder is refused", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    release("A", K1, 6, "05/26/04"),
    state({ A: K1 }, held(5, "A")),
  ]),
  scenario("C40", "RELEASE by a registrant that does not hold is GOOD and does nothing", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    register("B", 0n, K2),
    release("B", K2, 5),
    state({ A: K1, B: K2 }, held(5, "A")),
  ]),
  scenario("C41", "RELEASE with a key that is not the sender's conflicts, even if it does not hold", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    register("B", 0n, K2),
    release("B", K9, 5, "conflict"),
    state({ A: K1, B: K2 }, held(5, "A")),
  ]),
  scenario("C42", "RELEASE without a reservation is GOOD", [
    register("A", 0n, K1),
    release("A", K1, 5),
    state({ A: K1 }, null),
  ]),
  scenario("C43", "RELEASE by a stranger conflicts", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    release("B", 0n, 5, "conflict"),
    state({ A: K1 }, held(5, "A"), { via: "A" }),
  ]),
  scenario("C44", "CLEAR removes the reservation and every registration", [
    register("A", 0n, K1),
    reserve("A", K1, 3),
    state({ A: K1 }, held(3, "A")),
    clear("A", K1),
    state({}, null, { generation: 1 }),
  ]),
  scenario("C45", "CLEAR by a registrant tells everybody else who was registered", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    register("B", 0n, K2),
    clear("B", K2),
    state({}, null),
    told("A", "2A/03"),
    quiet("B"),
  ]),
  scenario("C46", "CLEAR with a key that is not the sender's conflicts", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    clear("A", K9, "conflict"),
    state({ A: K1 }, held(5, "A"), { generation: 1 }),
  ]),
];
