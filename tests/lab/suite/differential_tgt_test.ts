/**
 * tgt over iSCSI and the simulated LUN with tgt's profile, side by side under random commands of three nexuses.
 *
 *     PRMIG_DIFFERENTIAL_TGT_STEPS   how many commands (1000); `deno task differential` sends 20,000
 *     PRMIG_SEED                     repeats a run; the seed is printed
 */
import assert from "node:assert/strict";
import { TGT } from "../../../lib/pr/sim/profile.ts";
import { SEED } from "../../support/cases.ts";
import { sameAnswers } from "../../support/differential.ts";
import { history } from "../../support/differential_plan.ts";
import { forbiddenToTgt, TGT_FORGIVEN } from "../../support/differential_tgt.ts";
import { initiatorName, type IscsiPath, logIn, logOut, startIscsid } from "../iscsi/initiator.ts";
import { startTgt } from "../iscsi/tgt.ts";
import { simulatedNexuses, withNexuses } from "../playing.ts";
import { labTest } from "../support.ts";

const STEPS = Number(Deno.env.get("PRMIG_DIFFERENTIAL_TGT_STEPS") ?? 1000);
const HISTORY_STEPS = 100;
/** Enough to see what they have in common. */
const MOST_DIFFERENCES = 5;
/** Names of initiators that no other test has. */
const NAMES = { A: "randomA", B: "randomB", C: "randomC" } as const;

labTest(`tgt and its profile answer ${STEPS} random commands alike`, async () => {
  console.log(`seed ${SEED}`);
  await startIscsid(initiatorName("A"));
  const { portal, stop } = await startTgt("127.0.0.1:3280");
  const path = (name: string): Promise<IscsiPath> => logIn(name, portal);
  const [A, B, C] = [await path(NAMES.A), await path(NAMES.B), await path(NAMES.C)];
  const differences: string[] = [];
  try {
    await withNexuses({ A: A.sg, B: B.sg, C: C.sg }, async (one) => {
      for (let i = 0; i < STEPS / HISTORY_STEPS && differences.length < MOST_DIFFERENCES; i++) {
        const pair = { one, other: simulatedNexuses(TGT), forgiven: TGT_FORGIVEN };
        await sameAnswers(pair, history(SEED + i, HISTORY_STEPS, forbiddenToTgt(i)), SEED + i)
          .catch((error: Error) => differences.push(error.message));
      }
    });
  } finally {
    for (const name of Object.values(NAMES)) await logOut(name, portal);
    await stop();
  }
  assert.equal(differences.join("\n\n"), "");
});
