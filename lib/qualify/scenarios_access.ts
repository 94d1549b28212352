/** Scenarios C26 to C31 and C84 to C87: who may send what while the LUN is reserved. @module */
import { forTypes, K1, K2, type Scenario, scenario } from "./scenario.ts";
import { held, prIn, register, release, reserve, run, state } from "./steps.ts";

const CONFLICT = "conflict";
const GOOD = "good";

/** A reserves; B as a stranger and then as a registrant reads and writes; A still can. */
function access(id: string, types: readonly number[], title: string, who: {
  readonly stranger: readonly [read: string, write: string];
  readonly registrant: readonly [read: string, write: string];
}): Scenario[] {
  return forTypes(types, (type) =>
    scenario(id, title, [
      register("A", 0n, K1),
      reserve("A", K1, type),
      run("B", "read", who.stranger[0]),
      run("B", "write", who.stranger[1]),
      register("B", 0n, K2),
      run("B", "read", who.registrant[0]),
      run("B", "write", who.registrant[1]),
      run("A", "write"),
      run("A", "read"),
      state({ A: K1, B: K2 }, held(type, type >= 7 ? "all" : "A")),
    ]));
}

/** Scenarios about who has access to what. */
export const ACCESS_SCENARIOS: readonly Scenario[] = [
  ...access("C26", [1], "others read and do not write", { stranger: [GOOD, CONFLICT], registrant: [GOOD, CONFLICT] }),
  ...access("C27", [3], "others neither read nor write", {
    stranger: [CONFLICT, CONFLICT],
    registrant: [CONFLICT, CONFLICT],
  }),
  ...access("C28", [5], "registrants have access, strangers read", {
    stranger: [GOOD, CONFLICT],
    registrant: [GOOD, GOOD],
  }),
  ...access("C29", [6], "registrants have access, strangers none", {
    stranger: [CONFLICT, CONFLICT],
    registrant: [GOOD, GOOD],
  }),
  ...access("C30", [7], "registrants have access, strangers read", {
    stranger: [GOOD, CONFLICT],
    registrant: [GOOD, GOOD],
  }),
  ...access("C31", [8], "registrants have access, strangers none", {
    stranger: [CONFLICT, CONFLICT],
    registrant: [GOOD, GOOD],
  }),
  scenario("C84", "what only asks about the device passes through Exclusive Access", [
    register("A", 0n, K1),
    reserve("A", K1, 6),
    run("B", "inquiry"),
    run("B", "testUnitReady"),
    prIn("B", "readKeys", 8192),
    run("B", "readCapacity10"),
    run("B", "readCapacity16"),
    run("B", "reportLuns"),
    run("B", "requestSense"),
  ]),
  scenario(
    "C85",
    "Write Exclusive: a stranger may read mode pages, and neither change the unit's power nor flush its cache",
    [
      register("A", 0n, K1),
      reserve("A", K1, 5),
      run("B", "modeSense6"),
      run("B", "start"),
      run("B", "active", CONFLICT),
      run("B", "synchronizeCache10", CONFLICT),
    ],
  ),
  scenario("C86", "RESERVE(6) by those with access is GOOD and without effect (CRH)", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    register("B", 0n, K2),
    run("A", "reserve6"),
    run("B", "reserve6"),
    run("C", "reserve6", CONFLICT),
    run("A", "release6"),
    state({ A: K1, B: K2 }, held(5, "A"), { via: "A" }),
    run("B", "write"),
    release("A", K1, 5),
  ], { needs: ["compatibleReservations"] }),
  scenario("C87", "an SPC-2 reservation refuses PERSISTENT RESERVE from anybody", [
    run("A", "reserve6"),
    prIn("A", "readKeys", 8192, CONFLICT),
    prIn("B", "readKeys", 8192, CONFLICT),
    register("A", 0n, K1, CONFLICT),
    register("B", 0n, K2, CONFLICT),
    run("A", "release6"),
    state({}, null),
  ]),
];
