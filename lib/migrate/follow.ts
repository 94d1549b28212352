/**
 * Between prepare and commit the guest still runs: it may re-key itself, reserve, release. The source notices by looking,
 * offers anew, and the destination follows before anything else happens. A guest that gives its registration up is another
 * matter: given_up.ts.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { formatKey, isPrType, type PrState, type PrType, prTypeInfo } from "../pr/types.ts";
import { destinationKey, nexusName, type Offer } from "./offer.ts";
import type { Picture, Seat } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import { rekey, standsUnder } from "./rekey.ts";
import { type Leg, look, lookAtAll, type Run, tell, writeDown } from "./run.ts";
import { isToken } from "./tokens.ts";

/** Source: looks at every LUN and, where the guest has changed something, brings the destination along. */
export async function followGuest(run: Run): Promise<Picture[]> {
  const pictures = await lookAtAll(run);
  for (const [index, leg] of run.legs.entries()) {
    refuseIfShared(leg, pictures[index]!);
    if (!adopt(leg, pictures[index]!)) continue;
    await writeDown(run, "offered");
    tell(run, "follow", "the guest changed its key or reservation; the destination follows", leg);
    await run.ports.link.send({ record: "update", index, offer: leg.offer });
    await awaitFollowed(run, index);
    const after = await look(run, leg);
    const { under, agreed } = after.destination;
    if (after.source.under !== "gone" && (under === "other" || !agreed)) {
      throw new TurnBack("failed", `the destination did not follow the guest to its new key on ${leg.lun.device}`);
    }
    delete leg.formerKeys;
    pictures[index] = after;
  }
  return pictures;
}

/**
 * Makes the offer anew from what the LUN shows; false when the old one still stands. The destination may go on standing
 * under the old key, and is known by it.
 */
export function adopt(leg: Leg, picture: Picture): boolean {
  const changed = offerNow(leg.offer, picture);
  if (changed === null) return false;
  if (changed.destinationToken === null && changed.key !== leg.offer.key) {
    leg.formerKeys = [...leg.formerKeys ?? [], leg.offer.key];
  }
  leg.offer = changed;
  return true;
}

/** A guest that has taken a key that others have: from then on it would not tell the destination from them. */
function refuseIfShared({ lun, offer }: Leg, { source, state }: Picture): void {
  const key = source.registrations.find((r) => !isToken(r.key))?.key;
  if (key === undefined || key === offer.key || offer.destinationToken !== null) return;
  if (!state.registrations.some((r) => r.key === key && !offer.source.includes(nexusName(r) ?? ""))) return;
  throw new TurnBack("refused", `the guest took key ${formatKey(key)} on ${lun.device}, which others have`);
}

/** The offer as it would have to be made now; `null` when it still stands. A source that is gone is not followed. */
export function offerNow(offer: Offer, { source, state }: Picture): Offer | null {
  const mine = source.registrations.find((r) => !isToken(r.key));
  if (!mine) return null;
  const type = typeHeld(source, state);
  if (mine.key === offer.key && type === offer.type) return null;
  return { ...offer, key: mine.key, type, generation: state.generation };
}

/** The type of what a side holds, whatever was offered; 0 when it is only registered. */
function typeHeld({ registrations }: Seat, { reservation }: PrState): PrType | 0 {
  const type = reservation?.type ?? 0;
  const holds = prTypeInfo(type)?.allRegistrants || registrations.some((r) => r.holder);
  return isPrType(type) && holds ? type : 0;
}

/** True where the source holds the reservation, whatever its type is, or there is none. */
export function holdsWhatThereIs({ source, state }: Picture): boolean {
  return state.reservation === null || typeHeld(source, state) !== 0;
}

/**
 * Destination, recovered: a source that was stopped while it evicted stands under a one-time key that was never offered, and
 * its guest may have changed the type since the offer. From under that key it can change nothing more, since its commands
 * name its own; so what is seen is what there is to take.
 */
export function adoptAside(leg: Leg, { source, state }: Picture): void {
  const [first] = source.registrations;
  if (first) leg.offer = { ...leg.offer, commitToken: first.key, type: typeHeld(source, state) };
}

async function awaitFollowed(run: Run, index: number): Promise<void> {
  const deadline = run.ports.clock.now() + run.timeoutMs;
  while (run.ports.clock.now() < deadline) {
    const message = await run.ports.link.next(run.timeoutMs);
    if (message.record === "followed" && message.index === index) return;
    if (message.record === "refused" || message.record === "withdraw") throw new TurnBack("refused", message.reason);
    if (message.record === "closed") throw new TurnBack("link", "the connection to the destination ended");
  }
  throw new TurnBack("timeout", "the destination did not follow a change of the guest's key");
}

/** Destination: takes over a changed offer, re-keying its own registration where the guest re-keyed itself. */
export async function followSource(run: Run, index: number, offer: Offer): Promise<void> {
  const leg: Leg | undefined = run.legs[index];
  if (!leg || !isOfSameLun(leg.offer, offer)) {
    throw new PrmigError("refused", {
      message: "Cannot follow the source: it changes a LUN that it never offered",
      lun: "unchanged by this",
      remedy: "start the hand-over again",
    });
  }
  const [from, to] = [destinationKey(leg.offer), destinationKey(offer)];
  if (from !== to) leg.formerKeys = [from];
  leg.offer = offer;
  await writeDown(run, "prepared");
  if (from !== to) tell(run, "follow", "REGISTER old key -> new key", leg);
  await catchUp(run, leg);
  await run.ports.link.send({ record: "followed", index });
}

/** Everything that names the two sides and the bystanders stays as it was offered. */
function isOfSameLun(before: Offer, now: Offer): boolean {
  return before.designator === now.designator && before.commitToken === now.commitToken &&
    before.destinationToken === now.destinationToken && now.key !== now.commitToken;
}

/**
 * Destination: REGISTER old key -> new key wherever it still stands under an old one. Throws TurnBack `failed` when the LUN
 * does not let it.
 */
export async function catchUp(run: Run, leg: Leg): Promise<void> {
  if (leg.formerKeys === undefined) return;
  const to = destinationKey(leg.offer);
  for (const from of leg.formerKeys) {
    const picture = await look(run, leg);
    for (const own of leg.own) {
      if (!standsUnder(run, own, picture, from) || await rekey(run, leg, own, from, to)) continue;
      throw new TurnBack("failed", `this host could not follow the guest to its new key on ${leg.lun.device}`);
    }
  }
  delete leg.formerKeys;
}
