/**
 * Between prepare and commit the guest still runs: it may re-key itself, reserve, release. The source notices by looking,
 * offers anew, and the destination follows before anything else happens.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { isPrType, prTypeInfo } from "../pr/types.ts";
import { destinationKey, type Offer } from "./offer.ts";
import type { Picture } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import { rekey } from "./rekey.ts";
import { type Leg, look, type Run, tell, writeDown } from "./run.ts";

/** Source: looks at every LUN and, where the guest has changed something, brings the destination along. */
export async function followGuest(run: Run): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const [index, leg] of run.legs.entries()) {
    const picture = await look(leg);
    const changed = offerNow(leg.offer, picture);
    if (changed === null) {
      pictures.push(picture);
      continue;
    }
    leg.offer = changed;
    await writeDown(run, "offered");
    tell(run, "follow", "the guest changed its key or reservation; the destination follows", leg);
    await run.ports.link.send({ record: "update", index, offer: changed });
    await awaitFollowed(run, index);
    pictures.push(await look(leg));
  }
  return pictures;
}

/** The offer as it would have to be made now; `null` when it still stands. A source that is gone is not followed. */
export function offerNow(offer: Offer, { source, state }: Picture): Offer | null {
  const mine = source.registrations.find((r) => r.key !== offer.commitToken);
  if (!mine) return null;
  const type = state.reservation?.type ?? 0;
  const allRegistrants = prTypeInfo(type)?.allRegistrants ?? false;
  const held = isPrType(type) && (allRegistrants || source.registrations.some((r) => r.holder)) ? type : 0;
  if (mine.key === offer.key && held === offer.type) return null;
  return { ...offer, key: mine.key, type: held, generation: state.generation };
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
  if (!leg || leg.offer.designator !== offer.designator || leg.offer.commitToken !== offer.commitToken) {
    throw new PrmigError("refused", {
      message: "Cannot follow the source: it changes a LUN that it never offered",
      lun: "unchanged by this",
      remedy: "start the hand-over again",
    });
  }
  const [from, to] = [destinationKey(leg.offer), destinationKey(offer)];
  const before = { ...leg, offer: leg.offer };
  leg.offer = offer;
  if (from !== to) {
    tell(run, "follow", "REGISTER old key -> new key", leg);
    for (const own of before.own) await rekey(run, leg, own, from, to);
  }
  await writeDown(run, "prepared");
  await run.ports.link.send({ record: "followed", index });
}
