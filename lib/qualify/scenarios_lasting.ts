/** Scenarios C76 to C83 and C89: list lengths, power loss, resets, unit attentions, lost reservations. @module */
import { PR_OUT_ACTION } from "../pr/cdb.ts";
import { K1, K2, type Scenario, scenario } from "./scenario.ts";
import {
  clear,
  event,
  held,
  out,
  prIn,
  quiet,
  raw,
  register,
  registerAptpl,
  reserve,
  run,
  state,
  told,
} from "./steps.ts";

const REGISTER_23 = "5f 00 00 00 00 00 00 00 17 00";
const REGISTER_25 = "5f 00 00 00 00 00 00 00 19 00";
const LIST_24 = "0000000000000000 70726d6700000001 00000000 00 000000";

/** Scenarios about what lasts. */
export const LASTING_SCENARIOS: readonly Scenario[] = [
  scenario("C76", "a parameter list of 23 or 25 bytes is refused", [
    raw("A", REGISTER_23, LIST_24.slice(0, -2), "05/1A/00"),
    raw("A", REGISTER_25, LIST_24 + "00", "05/1A/00"),
    state({}, null, { generation: 0 }),
  ]),
  scenario("C77", "the last REGISTER decides about power loss, whoever sent it", [
    registerAptpl("A", 0n, K1, true),
    state({ A: K1 }, null, { ptpl: true }),
    registerAptpl("B", 0n, K2, false),
    state({ A: K1, B: K2 }, null, { ptpl: false }),
  ], { needs: ["aptpl"] }),
  scenario("C78", "unregistering with APTPL 0 switches persistence off", [
    registerAptpl("A", 0n, K1, true),
    state({ A: K1 }, null, { ptpl: true }),
    registerAptpl("A", K1, 0n, false),
    state({}, null, { ptpl: false }),
  ], { needs: ["aptpl"] }),
  scenario("C79", "with persistence active all comes back after power loss, and PRGENERATION is 0", [
    registerAptpl("A", 0n, K1, true),
    registerAptpl("B", 0n, K2, true),
    reserve("A", K1, 5),
    event("powerCycle"),
    told("A", "29/01"),
    prIn("A", "readKeys", 8, "good", "00000000 00000010"),
    state({ A: K1, B: K2 }, held(5, "A"), { ptpl: true }),
  ], { needs: ["aptpl", "powerCycle"] }),
  scenario("C80", "without persistence nothing is left after power loss", [
    register("A", 0n, K1),
    reserve("A", K1, 5),
    event("powerCycle"),
    told("A", "29/01"),
    prIn("A", "readKeys", 8192, "good", "00000000 00000000"),
    state({}, null, { ptpl: false }),
  ], { needs: ["powerCycle"] }),
  scenario("C81", "a LOGICAL UNIT RESET leaves registrations and reservation alone", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    reserve("A", K1, 5),
    state({ A: K1, B: K2 }, held(5, "A")),
    event("reset"),
    told("A", "29/03"),
    state({ A: K1, B: K2 }, held(5, "A"), { generation: 0 }),
  ], { needs: ["reset"] }),
  scenario("C81-nexus", "an I_T nexus that was lost and is back is still registered, and still holds", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    reserve("A", K1, 5),
    state({ A: K1, B: K2 }, held(5, "A")),
    event("nexusLoss", "A"),
    told("A", "29/07"),
    state({ A: K1, B: K2 }, held(5, "A"), { generation: 0 }),
  ], { needs: ["nexusLoss"] }),
  scenario("C82", "a waiting unit attention keeps a REGISTER from being executed", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    clear("B", K2),
    register("A", 0n, K1, "06/2A/03"),
    state({}, null, { via: "B" }),
    register("A", 0n, K1),
    state({ A: K1 }, null),
  ]),
  scenario("C83", "INQUIRY and REPORT LUNS leave a unit attention waiting, REQUEST SENSE takes it", [
    register("A", 0n, K1),
    register("B", 0n, K2),
    clear("B", K2),
    run("A", "inquiry"),
    run("A", "reportLuns"),
    { ...run("A", "requestSense"), data: "70..06" + "..".repeat(9) + "2a03*" },
    quiet("A"),
    register("A", 0n, K1),
    register("B", 0n, K2),
    clear("B", K2),
    run("A", "inquiry"),
    told("A", "2A/03"),
  ]),
  scenario("C89", "REPLACE LOST RESERVATION without a loss is refused", [
    register("A", 0n, K1),
    out("A", { action: PR_OUT_ACTION.replaceLost, sark: K2, type: 5 }, "05/26/04"),
    state({ A: K1 }, null),
  ], { needs: ["replaceLost"] }),
  scenario("C89-lost", "after a loss only REPLACE LOST RESERVATION helps, and starts afresh", [
    register("A", 0n, K1),
    event("loseInformation"),
    run("A", "read", "07/44/01"),
    register("A", 0n, K1, "07/44/01"),
    run("A", "inquiry"),
    out("B", { action: PR_OUT_ACTION.replaceLost, sark: K2, type: 5 }),
    prIn("B", "readKeys", 8, "good", "00000000 00000008"),
    state({ B: K2 }, held(5, "B")),
  ], { needs: ["replaceLost", "loseInformation"] }),
];
