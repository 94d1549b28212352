/**
 * The destination's way out: unregister on every LUN, but only where that is safe, and wait until it is.
 *
 * Safe means: the source does not stand under its token (our registration then keeps the guest's key on the LUN), we do
 * not hold what the source has yet to regain, and the source has had the time to look after it took its key back.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { LEAVE_GRACE_MS } from "./go_back.ts";
import { stayMs } from "./lease.ts";
import { destinationKey, hasOneHolder } from "./offer.ts";
import { isSourceIntact, isTaken, type Picture } from "./picture.ts";
import { rekey, standsUnder } from "./rekey.ts";
import { type Ending, everyLeg, type Leg, lookAtAll, type Run, tell, writeDown } from "./run.ts";
import { truthOf } from "./truth.ts";

const LOOK_MS = 100;

/**
 * Leaves. `released`: the source is known not to commit any more, or never could.
 *
 * Ends `restored` (the source holds), `fenced` (it does not, nor do we), or `moved` when it turns out that we hold every
 * LUN after all. Throws PrmigError `unsure` when we could not leave in time.
 */
export async function leave(run: Run, released: boolean): Promise<Ending> {
  const { link, clock } = run.ports;
  const deadline = clock.now() + Math.max(run.timeoutMs, stayMs(run)) + 2 * LEAVE_GRACE_MS;
  await writeDown(run, "leaving");
  let backSince: number | null = null;
  for (;;) {
    const pictures = await lookAtAll(run);
    if (run.committed && pictures.every(isTaken)) return { outcome: "moved", pictures };
    if (pictures.every((p) => p.destination.under === "gone")) return await close(run, pictures);
    backSince = pictures.some((p) => p.source.under === "token") ? null : backSince ?? clock.now();
    const graceOver = backSince !== null && clock.now() - backSince >= LEAVE_GRACE_MS;
    if (released || graceOver) {
      const byLeg = new Map(run.legs.map((leg, i) => [leg, pictures[i]!]));
      const went = await everyLeg(run, (leg) => unregister(run, leg, byLeg.get(leg)!));
      if (went.some(Boolean)) continue;
    }
    if (clock.now() >= deadline) throw stuck(run, pictures);
    const message = await link.next(LOOK_MS);
    if (message.record === "abort") released = true;
  }
}

async function unregister(run: Run, leg: Leg, picture: Picture): Promise<boolean> {
  if (picture.destination.under === "gone" || picture.source.under === "token") return false;
  if (run.committed && isTaken(picture)) return false; // the source has yet to come for it
  if (hasOneHolder(leg.offer) && picture.destination.holds) return false; // the reservation would go with us
  let went = false;
  for (const own of leg.own) {
    const key = destinationKey(leg.offer);
    if (!standsUnder(run, own, picture, key)) continue;
    tell(run, "leave", "REGISTER key -> 0", leg);
    went = await rekey(run, leg, own, key, 0n) || went;
  }
  return went;
}

async function close(run: Run, pictures: readonly Picture[]): Promise<Ending> {
  const outcome = pictures.every(isSourceIntact) ? "restored" : "fenced";
  await writeDown(run, "closed", outcome);
  return { outcome, pictures };
}

function stuck(run: Run, pictures: readonly Picture[]): PrmigError {
  const devices = run.legs.map((leg) => leg.lun.device).join(", ");
  return new PrmigError("unsure", {
    message: `Cannot leave ${devices}: the source has neither finished nor taken its key back`,
    device: devices,
    lun: pictures.map(truthOf).join(" | "),
    remedy: "prmig recover on the source, then prmig recover here",
  });
}
