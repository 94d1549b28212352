/**
 * The only way there is once the guest runs at the destination: onward. What was not committed is committed, and the
 * destination, which is registered and so has access, takes when it gets to it.
 *
 * A destination that never comes to take leaves a stable state: it stays registered under the guest's key as long as the
 * source stands under its token, and `prmig recover` on either host goes on from there.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { isTaken, type Picture } from "../picture.ts";
import { oneTimeKeyOf, rekey } from "../rekey.ts";
import { TurnBack } from "../reasons.ts";
import { type Ending, everyLeg, lookAtAll, type Run, tell, writeDown } from "../run.ts";
import { holderInWords, truthOf } from "../truth.ts";

const LOOK_MS = { first: 10, longest: 250 };

/** Thrown instead of going back, by a hand-over for which there is no way back. */
export class NoWayBack extends Error {
  override readonly name = "NoWayBack";
}

/**
 * Goes on until the destination holds everything. Rejects with PrmigError `unsure` when it does not take in time, and with
 * TurnBack `fenced` where a third party has removed one of the two.
 */
export async function goForward(run: Run): Promise<Ending> {
  const { clock, link } = run.ports;
  const deadline = clock.now() + run.timeoutMs;
  await writeDown(run, "committing");
  let told = false;
  for (let pause = LOOK_MS.first;; pause = Math.min(2 * pause, LOOK_MS.longest)) {
    const pictures = await lookAtAll(run);
    if (pictures.every(isTaken)) {
      await writeDown(run, "closed", "moved");
      return { outcome: "moved", pictures };
    }
    pictures.forEach((picture, i) => {
      if (isTaken(picture) || picture.source.under !== "gone" && picture.destination.under !== "gone") return;
      const who = picture.source.under === "gone" ? "this host" : "the destination";
      const { device } = run.legs[i]!.lun;
      throw new TurnBack("fenced", `${who} is no longer registered with ${device}: ${holderInWords(picture)}`);
    });
    if (clock.now() >= deadline) throw notTaken(run, pictures.map(truthOf).join(" | "));
    if (pictures.some(isNotCommitted)) {
      tell(run, "commit", "the guest runs at the destination: REGISTER key -> token again");
      const byLeg = new Map(run.legs.map((leg, i) => [leg, pictures[i]!]));
      await everyLeg(run, async (leg) => {
        const picture = byLeg.get(leg)!;
        if (!isNotCommitted(picture)) return;
        for (const own of leg.own) {
          // One that was evicting the destination stands under a one-time key that the destination does not know.
          await rekey(run, leg, own, oneTimeKeyOf(run, own, picture) ?? leg.offer.key, leg.offer.commitToken);
        }
      });
      continue;
    }
    if (!told) told = await link.send({ record: "committed" });
    await link.next(pause);
  }
}

function isNotCommitted({ source }: Picture): boolean {
  return source.under === "key" || source.under === "aside";
}

function notTaken(run: Run, lun: string): PrmigError {
  const devices = run.legs.map((leg) => leg.lun.device).join(", ");
  return new PrmigError("unsure", {
    message: `The guest runs on the destination, which has not taken the reservation of ${devices}`,
    device: devices,
    lun,
    remedy: "prmig recover on the destination, then prmig recover here",
  });
}
