/**
 * Until the commit the guest runs, and may itself give up what was offered: unregister, or clear the LUN. Then there is
 * nothing to hand over any more, nobody was fenced, and nothing is to be brought back.
 *
 * @module
 */
import { hasOneHolder } from "./offer.ts";
import type { Picture } from "./picture.ts";
import type { Leg } from "./run.ts";
import { hasWitness } from "./witness.ts";

/**
 * How the guest gave up, as the LUN shows it; `null` where it did not, or where the LUN cannot tell it from fencing. Whoever
 * preempts the guest's key removes the destination with it, and all who share the key; the guest that goes removes nobody.
 */
export function givenUp(leg: Leg, picture: Picture): "unregistered" | "cleared" | null {
  const { offer } = leg;
  if (picture.source.under !== "gone" || leg.sourceWas === "token") return null;
  if (picture.state.registrations.length === 0) return "cleared";
  const heldNow = picture.state.registrations.some((r) => r.holder);
  if (hasOneHolder(offer) && heldNow || !hasWitness(leg, picture)) return null;
  if (offer.destinationToken === null) return "unregistered";
  const sharers = offer.others.filter((other) => other.key === offer.key);
  const untouched = sharers.length > 0 && sharers.every((other) => !picture.disturbed.includes(other));
  return untouched ? "unregistered" : null;
}

/** What the guest did, in words. */
export function givenUpInWords({ lun }: Leg, how: "unregistered" | "cleared"): string {
  return how === "cleared"
    ? `${lun.device} was cleared: nobody is registered with it any more`
    : `the guest unregistered itself from ${lun.device}`;
}
