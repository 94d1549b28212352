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
import { hasTaken, isTakenByAnother } from "./taken.ts";
import { holderInWords, truthOf } from "./truth.ts";
import { hasWitness } from "./witness.ts";

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
    const { source } = picture;
    if (!hasWitness(leg, picture)) {
      if (isSourceIntact(picture)) {
        throw new TurnBack("aborted", `the source gave up and evicted this host on ${device}`);
      }
      throw new TurnBack("fenced", `this host's registration was removed on ${device}: ${holderInWords(picture)}`);
    }
    if (isTakenByAnother(run, leg, picture)) {
      throw new TurnBack("refused", `another receiver of this offer has taken ${device}: ${holderInWords(picture)}`);
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

/**
 * Throws TurnBack when anybody but us has changed a registration since the offer. Where nobody tells us when to take, this
 * tells us not to: a source that gives up moves PRGENERATION, and looks for us only after that.
 */
export function refuseIfStirred(run: Run, pictures: readonly Picture[]): void {
  pictures.forEach(({ state }, i) => {
    const { lun, own, offer } = run.legs[i]!;
    if ((state.generation - offer.generation) >>> 0 === own.length) return;
    const moved = `PRGENERATION of ${lun.device} is ${state.generation}, not ${offer.generation} and our own REGISTER`;
    throw new TurnBack("aborted", `${moved}: the source has given up, or somebody else registered meanwhile`);
  });
}
