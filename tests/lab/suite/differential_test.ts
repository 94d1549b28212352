/**
 * LIO and the simulated LUN with LIO's profile, side by side under random commands of three nexuses.
 *
 *     PRMIG_DIFFERENTIAL_STEPS   how many commands (5000); `deno task differential` sends 200,000
 *     PRMIG_SEED                 repeats a run; the seed is printed
 */
import assert from "node:assert/strict";
import { PR_OUT_ACTION } from "../../../lib/pr/cdb.ts";
import { LIO } from "../../../lib/pr/sim/profile.ts";
import { SEED } from "../../support/cases.ts";
import { sameAnswers } from "../../support/differential.ts";
import { type Forbid, history } from "../../support/differential_plan.ts";
import { simulatedNexuses, withNexuses } from "../playing.ts";
import { labTest, resetLun } from "../support.ts";

/** All steps; they are played as histories of this length, each from a clean LUN. */
const STEPS = Number(Deno.env.get("PRMIG_DIFFERENTIAL_STEPS") ?? 5000);
const HISTORY_STEPS = 100;
/** A long run says how far it has come, this often. */
const TOLD_STEPS = 10_000;
/** Enough to see what they have in common. */
const MOST_DIFFERENCES = 5;

/** LIO touches freed memory when a PREEMPT removes its own sender: not on a kernel that is still needed. */
const forbid: Forbid = ({ action, rk, sark }) => action === PR_OUT_ACTION.preempt && rk === sark;

labTest(`LIO and its profile answer ${STEPS} random commands alike`, async () => {
  console.log(`seed ${SEED}`);
  // The newest LUN of every initiator: to another, LIO would not tell all that its nexuses are to hear (LIO_NAMED_NEXUS).
  const { A, B, C } = (await resetLun()).nexuses;
  const differences: string[] = [];
  await withNexuses({ A: A.sg, B: B.sg, C: C.sg }, async (one) => {
    for (let i = 0; i < STEPS / HISTORY_STEPS && differences.length < MOST_DIFFERENCES; i++) {
      const pair = { one, other: simulatedNexuses(LIO) };
      await sameAnswers(pair, history(SEED + i, HISTORY_STEPS, forbid), SEED + i)
        .catch((error: Error) => differences.push(error.message));
      const done = (i + 1) * HISTORY_STEPS;
      if (done % TOLD_STEPS === 0) console.log(`${done} steps, ${differences.length} differences`);
    }
  });
  assert.equal(differences.join("\n\n"), "");
});
