/**
 * What stands in the source's way back on one LUN, as errors: what failed, what is true of the LUN, what to do.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { formatKey } from "../pr/types.ts";
import { preemptType } from "./offer.ts";
import type { Picture } from "./picture.ts";
import type { Leg, Run } from "./run.ts";
import { truthOf } from "./truth.ts";

/** The answer of a person is about another state of the LUN. */
export function changedSinceAsked(run: Run, leg: Leg, picture: Picture): PrmigError {
  const { device } = leg.lun;
  return new PrmigError("refused", {
    message: `Cannot take ${device} back: it has changed since prmig recover showed it, and the guest may have been ` +
      "fenced meanwhile",
    device,
    lun: `not touched by this: ${truthOf(picture)}`,
    remedy: `prmig recover ${run.handOver} shows it as it is now; then ask whoever fences once more`,
  });
}

/** Only a person can say whether the guest was fenced. */
export function undecided(run: Run, leg: Leg, picture: Picture): PrmigError {
  const { device } = leg.lun;
  const token = picture.source.registrations[0]!.key;
  const type = preemptType(leg.offer);
  return new PrmigError("unsure", {
    message:
      `Cannot tell whether the guest was fenced on ${device}: this host had stepped aside to evict the destination`,
    device,
    lun: `${truthOf(picture)}; nobody else can reserve it`,
    remedy: `ask whoever fences; if nobody fenced this guest: prmig rollback ${run.handOver}; if somebody did, on ` +
      `another host: prmig preempt DEV --key ${formatKey(token)} --type ${type}, then prmig recover here`,
  });
}

/** Not the time to step aside: to be tried again. Only an answer, say, tells that a destination which looks is asked to stay. */
export function notYet({ lun }: Leg, picture: Picture, why: string): PrmigError {
  return new PrmigError("failed", {
    message: `Cannot evict the destination from ${lun.device}: ${why}`,
    device: lun.device,
    lun: truthOf(picture),
    remedy: "prmig recover",
  });
}

/** The destination has settled on a target that does not say who is who. */
export function hiddenKey({ lun }: Leg, picture: Picture): PrmigError {
  return new PrmigError("refused", {
    message:
      `Cannot take ${lun.device} back: the destination has settled under the guest's key, and this target does ` +
      "not say who is who",
    device: lun.device,
    lun: `as it was: ${truthOf(picture)}`,
    remedy: "hand back from the destination (prmig send there, prmig recv here)",
  });
}

/** The destination has settled on a key that others share. */
export function sharedKey({ lun, offer }: Leg, picture: Picture): PrmigError {
  const sharers = offer.others.filter((other) => other.key === offer.key).length;
  return new PrmigError("refused", {
    message: `Cannot take ${lun.device} back: the destination has settled under a key that ${sharers} other ` +
      `registration${sharers === 1 ? "" : "s"} share, and cannot be evicted alone`,
    device: lun.device,
    lun: `as it was: ${truthOf(picture)}`,
    remedy:
      "hand back from the destination (prmig send there, prmig recv here), or add --evict-shared to evict them all",
  });
}
