/** All scenarios, in the order of their numbers. @module */
import type { Scenario } from "./scenario.ts";
import { ACCESS_SCENARIOS } from "./scenarios_access.ts";
import { HAND_OVER_SCENARIOS } from "./scenarios_hand_over.ts";
import { LASTING_SCENARIOS } from "./scenarios_lasting.ts";
import { MATRIX_SCENARIOS } from "./scenarios_matrix.ts";
import { MOVE_SCENARIOS } from "./scenarios_move.ts";
import { PREEMPT_SCENARIOS } from "./scenarios_preempt.ts";
import { READ_SCENARIOS } from "./scenarios_read.ts";
import { REGISTER_SCENARIOS } from "./scenarios_register.ts";
import { RESERVE_SCENARIOS } from "./scenarios_reserve.ts";
import { UNREGISTER_SCENARIOS } from "./scenarios_unregister.ts";

/** Every scenario of the suite. */
export const SCENARIOS: readonly Scenario[] = [
  ...READ_SCENARIOS,
  ...REGISTER_SCENARIOS,
  ...RESERVE_SCENARIOS,
  ...ACCESS_SCENARIOS,
  ...UNREGISTER_SCENARIOS,
  ...PREEMPT_SCENARIOS,
  ...MOVE_SCENARIOS,
  ...LASTING_SCENARIOS,
  ...HAND_OVER_SCENARIOS,
  ...MATRIX_SCENARIOS,
].toSorted((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));
