/**
 * What a LUN's state means for one hand-over: where the source stands, where the destination, who else was disturbed.
 *
 * Pure. Every decision of both sides, of roll back and of recovery is taken on a Picture, so that all of them read the
 * LUN in the same way.
 *
 * @module
 */
import { prTypeInfo } from "../pr/types.ts";
import type { PrState, Registration } from "../pr/types.ts";
import { type Bystander, namesAreKnown, type NexusName, nexusName, type Offer } from "./offer.ts";
import { isToken } from "./tokens.ts";

/** One side of a hand-over as the LUN shows it. */
export interface Seat {
  /**
   * Registered under its one-time key (any path of it), under the guest's key, under a key nobody agreed on, or not at all.
   * `aside`: the source, under a one-time key that was never offered, which it steps to where it evicts (way_back.ts).
   */
  readonly under: "token" | "aside" | "key" | "other" | "gone";
  /** Holds the reservation the offer is about (for a mere registration: is registered). */
  readonly holds: boolean;
  /** Its registrations, for people and for further commands. */
  readonly registrations: readonly Registration[];
  /** Every one of its paths stands under the same key. */
  readonly agreed: boolean;
}

/** A LUN in the light of an offer. */
export interface Picture {
  readonly source: Seat;
  readonly destination: Seat;
  /** Bystanders of the offer that are gone or re-keyed. */
  readonly disturbed: readonly Bystander[];
  readonly state: PrState;
}

/**
 * Where the target hides names: who stands under what the bystanders leave over of the guest's key. The source, until it has
 * committed; after that a key alone does not tell, and has to be proved (proof.ts).
 */
export type KeyIsOf = "source" | "destination";

/**
 * Sorts the registrations of `state` into source, destination (under one of `formerKeys`, perhaps: then `other`) and
 * bystanders. A destination gives its names as `mine`: another receiver of the same offer is no part of it.
 */
export function pictureOf(
  offer: Offer,
  state: PrState,
  formerKeys: readonly bigint[] = [],
  keyIsOf: KeyIsOf = "source",
  mine?: readonly NexusName[],
): Picture {
  const ofSource = registrationsOfSource(offer, state, keyIsOf);
  const ofDestination = registrationsOfDestination(offer, state, formerKeys, keyIsOf)
    .filter((r) => mine === undefined || mine.includes(nexusName(r) ?? ""));
  return {
    source: seat(offer, state, ofSource, offer.commitToken),
    destination: seat(offer, state, ofDestination, offer.destinationToken),
    disturbed: offer.others.filter((other) => !stillThere(other, state)),
    state,
  };
}

/** By name; where the target hides names, by token and by what the bystanders leave over of the guest's key. */
function registrationsOfSource(offer: Offer, state: PrState, keyIsOf: KeyIsOf): Registration[] {
  if (namesAreKnown(offer)) {
    return state.registrations.filter((r) => offer.source.includes(nexusName(r) ?? "") || r.key === offer.commitToken);
  }
  const underToken = state.registrations.filter((r) => r.key === offer.commitToken);
  return keyIsOf === "source" ? [...underToken, ...leftUnderKey(offer, state)] : underToken;
}

/** What the bystanders leave over of the guest's key. */
export function leftUnderKey(offer: Offer, state: PrState): Registration[] {
  const underKey = state.registrations.filter((r) => r.key === offer.key);
  return underKey.slice(offer.others.filter((other) => other.key === offer.key).length);
}

/** By one-time key, and by the guest's key under a name the offer does not know, or where names are hidden by proof. */
function registrationsOfDestination(
  offer: Offer,
  state: PrState,
  formerKeys: readonly bigint[],
  keyIsOf: KeyIsOf,
): Registration[] {
  if (!namesAreKnown(offer)) {
    const underToken = state.registrations.filter((r) => r.key === offer.destinationToken);
    return keyIsOf === "destination" ? [...underToken, ...leftUnderKey(offer, state)] : underToken;
  }
  return state.registrations.filter((r) => {
    if (r.key === offer.destinationToken) return true;
    const name = nexusName(r);
    return (r.key === offer.key || formerKeys.includes(r.key)) && name !== null &&
      !offer.source.includes(name) && !offer.others.some((other) => other.key === r.key && other.name === name);
  });
}

function seat(offer: Offer, state: PrState, registrations: Registration[], token: bigint | null): Seat {
  const has = (key: bigint | null): boolean => registrations.some((r) => r.key === key);
  const aside = registrations.some((r) => isToken(r.key));
  const under = registrations.length === 0
    ? "gone"
    : has(token)
    ? "token"
    : aside
    ? "aside"
    : has(offer.key)
    ? "key"
    : "other";
  const agreed = registrations.every((r) => r.key === registrations[0]!.key);
  return { under, holds: holds(offer, state, registrations), registrations, agreed };
}

function holds(offer: Offer, state: PrState, registrations: Registration[]): boolean {
  if (registrations.length === 0) return false;
  if (offer.type === 0) return true;
  if (state.reservation?.type !== offer.type) return false;
  return prTypeInfo(offer.type)!.allRegistrants || registrations.some((r) => r.holder);
}

function stillThere(other: Bystander, state: PrState): boolean {
  return state.registrations.some((r) => r.key === other.key && nexusName(r) === other.name);
}

/** The destination is registered and the source untouched. */
export function isPrepared(picture: Picture): boolean {
  return picture.destination.under !== "gone" && picture.source.under !== "gone";
}

/** The source has put all of its paths under its token: now the destination may take, and no path will be left over. */
export function isCommitted(picture: Picture): boolean {
  return picture.source.under === "token" && picture.source.agreed && picture.destination.under !== "gone";
}

/** The source has put all of its paths under a one-time key that it never offered: it evicts, and was stopped, perhaps. */
export function isAside(picture: Picture): boolean {
  return picture.source.under === "aside" && picture.source.agreed && picture.destination.under !== "gone";
}

/** The source stands under a one-time key: while it does, the destination's registration keeps the guest's key on the LUN. */
export function isUnderToken({ source }: Picture): boolean {
  return source.under === "token" || source.under === "aside";
}

/** The move has happened: the destination holds and the source is gone. */
export function isTaken(picture: Picture): boolean {
  return picture.source.under === "gone" && picture.destination.holds;
}

/** The source stands where it stood before: under its key, holding what it held. */
export function isSourceIntact(picture: Picture): boolean {
  return picture.source.under === "key" && picture.source.holds;
}
