/** Scenarios C97 to C99: the whole access matrix, generated from its table. @module */
import { type AccessRow, DATA_ROWS, DEVICE_ROWS, mayRun, RESERVE6_ROWS, STANDINGS, TYPES } from "./access_matrix.ts";
import { forTypes, K1, K2, type Need, type Scenario, scenario } from "./scenario.ts";
import { held, register, reserve, run, state, type Want } from "./steps.ts";

const CONFLICT = "conflict";
/** A target may not know UNMAP, nor have power conditions; then it says so, and the command does nothing. */
const NOT_THERE: Readonly<Partial<Record<AccessRow["command"], readonly string[]>>> = {
  unmap: ["05/20/00"],
  active: ["05/24/00"],
};

/** What is to be answered: an unknown operation code may be told before a reservation is looked at, a field may not. */
function wanted({ command }: AccessRow, allowed: boolean): Want {
  const elsewise = NOT_THERE[command] ?? [];
  if (allowed) return ["good", ...elsewise];
  return [CONFLICT, ...elsewise.filter((each) => each === "05/20/00")];
}

/** B as a stranger, B as a registrant, and A, who holds, send every command of some rows. */
function matrix(
  id: string,
  title: string,
  rows: readonly AccessRow[],
  allows: typeof mayRun,
  needs: readonly Need[] = [],
): Scenario[] {
  return forTypes(TYPES, (type) =>
    scenario(id, title, [
      register("A", 0n, K1),
      reserve("A", K1, type),
      ...STANDINGS.map((standing) => [
        ...(standing === "registrant" ? [register("B", 0n, K2)] : []),
        ...rows.map((row) =>
          run(standing === "holder" ? "A" : "B", row.command, wanted(row, allows(row, standing, type)))
        ),
      ]),
      state({ A: K1, B: K2 }, held(type, type >= 7 ? "all" : "A")),
    ], { needs }));
}

/** Scenarios of the access matrix. */
export const MATRIX_SCENARIOS: readonly Scenario[] = [
  ...matrix("C97", "access to the data for stranger, registrant and holder", DATA_ROWS, mayRun),
  ...matrix("C98", "access to the device for stranger, registrant and holder", DEVICE_ROWS, mayRun),
  ...matrix(
    "C99-tolerated",
    "RESERVE(6) is GOOD and without effect from those with access (CRH)",
    RESERVE6_ROWS,
    mayRun,
    ["compatibleReservations"],
  ),
  ...matrix(
    "C99-refused",
    "RESERVE(6) conflicts from anybody while somebody is registered (no CRH)",
    RESERVE6_ROWS,
    () => false,
    ["noCompatibleReservations"],
  ),
];
