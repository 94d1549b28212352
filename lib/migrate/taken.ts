/**
 * Was it the destination that removed the source? A LUN that shows the destination without the source says so, but for
 * one case: a shared key, and a type without a single holder. There a third party that preempts the guest's key while the
 * source stands under it leaves the same picture behind, and only memory or the others who shared the key can tell.
 *
 * @module
 */
import { hasOneHolder, keyIsShared, type Offer } from "./offer.ts";
import { isTaken, type Picture, pictureOf } from "./picture.ts";
import type { Leg, Run } from "./run.ts";
import { hasWitness } from "./witness.ts";

/**
 * True when the LUN shows that the destination has taken it: the source stood under its token, which nobody else preempts,
 * and is gone; and the witness is there, so that it did not go by itself, as a fenced source does. Where a side does not know that (it was killed, a command went unanswered), those who shared the guest's key
 * are asked: a PREEMPT of that key would have removed them all.
 */
export function hasTaken(run: Run, leg: Leg, picture: Picture): boolean {
  if (!run.committed || !isTaken(picture) || !hasWitness(leg, picture)) return false;
  // Refused, whatever the LUN shows: another receiver of the same offer has taken it.
  if (run.role === "destination" && leg.took === false) return false;
  // A source that went from under the guest's key did not go by the destination's PREEMPT, which is of the token.
  if (run.method === "token" && run.role === "source" && leg.sourceWas === "key" && !leg.unanswered) return false;
  if (!keyIsShared(leg.offer) || hasOneHolder(leg.offer)) return true;
  if (picture.destination.under === "key") return true; // it settles on that key only once it has taken
  if (run.role === "destination") return leg.took === true || sharersAreThere(leg.offer, picture);
  return leg.sourceWas === undefined ? sharersAreThere(leg.offer, picture) : leg.sourceWas === "token";
}

/** True when every LUN of the hand-over {@link hasTaken}. */
export function allTaken(run: Run, pictures: readonly Picture[]): boolean {
  return run.legs.every((leg, i) => hasTaken(run, leg, pictures[i]!));
}

/**
 * True for a destination when another receiver of the same offer has taken: our PREEMPT was refused, or we have sent none, and
 * there is a nexus under the destination's key that is not ours.
 */
export function isTakenByAnother({ role, committed }: Run, { offer, took }: Leg, picture: Picture): boolean {
  if (role !== "destination" || committed && took !== false) return false;
  const whoever = pictureOf(offer, picture.state);
  const others = whoever.destination.registrations.length > picture.destination.registrations.length;
  return isTaken(whoever) && (committed || others);
}

function sharersAreThere({ others, key }: Offer, { disturbed }: Picture): boolean {
  return others.some((other) => other.key === key && !disturbed.includes(other));
}
