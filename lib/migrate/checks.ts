/**
 * What the destination refuses, judged on the LUN as it is.
 *
 * @module
 */
import { formatKey } from "../pr/types.ts";
import { ownRegistration } from "./lun.ts";
import { nexusName } from "./offer.ts";
import { isSourceIntact, type Picture } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import type { Leg, Run } from "./run.ts";
import { hasTaken } from "./taken.ts";
import { holderInWords, truthOf } from "./truth.ts";

/** Throws TurnBack `refused` unless the LUN is as offered and this host has nothing on it yet. Sends nothing. */
export function refuseUnlessPossible(leg: Leg, picture: Picture): void {
  const { device } = leg.lun;
  for (const path of leg.lun.paths) {
    const mine = ownRegistration(path, picture.state);
    if (mine === "absent" || mine === "unknown") continue;
    if (leg.offer.source.includes(nexusName(mine) ?? "")) {
      throw new TurnBack("refused", `${device} is the source's own nexus: both sides name the same device`);
    }
    throw new TurnBack("refused", `this host is already registered with ${device}, under ${formatKey(mine.key)}`);
  }
  if (!isSourceIntact(picture)) {
    throw new TurnBack("refused", `${device} is no longer as it was offered: ${truthOf(picture)}`);
  }
  if (picture.destination.under !== "gone") {
    throw new TurnBack("refused", `a nexus the offer does not know has registered the guest's key on ${device}`);
  }
}

/** Throws TurnBack when a LUN shows that our registration, or the source's, was removed. */
export function refuseIfLost(run: Run, pictures: readonly Picture[]): void {
  pictures.forEach((picture, i) => {
    const leg = run.legs[i]!;
    const { device } = leg.lun;
    const { source, destination } = picture;
    if (destination.under === "gone") {
      if (isSourceIntact(picture)) {
        throw new TurnBack("aborted", `the source gave up and evicted this host on ${device}`);
      }
      throw new TurnBack("fenced", `this host's registration was removed on ${device}: ${holderInWords(picture)}`);
    }
    if (source.under === "gone" && !hasTaken(run, leg, picture)) {
      throw new TurnBack("fenced", `the source's registration was removed on ${device}: ${holderInWords(picture)}`);
    }
  });
}

/** Throws TurnBack when the guest has re-keyed itself and no update can come: a one-way offer cannot be followed. */
export function refuseIfChanged(run: Run, pictures: readonly Picture[]): void {
  const at = pictures.findIndex(({ source }) => source.under === "other");
  if (at < 0) return;
  throw new TurnBack("refused", `the source changed its key on ${run.legs[at]!.lun.device} after the offer`);
}
