/**
 * A QEMU that moves the reservation itself (`migrate-pr` of QEMU 11): prmig notes what there was, and reads afterwards
 * whether it has arrived. QEMU knows only what the guest did since it was started, and takes errors for warnings.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { makeOffer } from "../make_offer.ts";
import { isTaken } from "../picture.ts";
import type { Random32 } from "../tokens.ts";
import { type Leg, lookOn } from "../run.ts";
import { holderInWords, truthOf } from "../truth.ts";
import type { Lun } from "../lun.ts";

/** Notes what is on the LUNs before. Sends no PR OUT unless a target hides who is registered (own_key.ts). */
export async function noteBefore(luns: readonly Lun[], random: Random32): Promise<Leg[]> {
  const legs: Leg[] = [];
  for (const lun of luns) legs.push(await makeOffer(lun, { random }));
  return legs;
}

/** Reads whether everything has arrived; gives a sentence a LUN. Rejects with PrmigError `refused` where it has not. */
export async function verifyMoved(legs: readonly Leg[]): Promise<string[]> {
  const words: string[] = [];
  const missing: string[] = [];
  for (const leg of legs) {
    const picture = await lookOn(leg);
    if (isTaken(picture)) words.push(`${leg.lun.device}: ${truthOf(picture)}`);
    else missing.push(`${leg.lun.device}: ${truthOf(picture)}; ${holderInWords(picture)}`);
  }
  if (missing.length === 0) return words;
  throw new PrmigError("refused", {
    message: "QEMU's migrate-pr has moved the guest, but not its reservation",
    device: legs.map((leg) => leg.lun.device).join(", "),
    lun: missing.join(" | "),
    remedy: "move it now, the guest runs at the destination: prmig send DEV --to 'ssh HOST prmig recv'",
  });
}
