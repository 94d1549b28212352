/**
 * The source's way back on one LUN: its key again, what was taken regained, a left-over destination evicted.
 *
 * Every function reads the LUN, does what the reading allows, and can be run again after a crash anywhere in it.
 * Why each eviction is the one it is: docs/hand-over.md, "The way back".
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { destinationKey, hasOneHolder, keyIsShared, preemptType } from "./offer.ts";
import { isTaken, type Picture } from "./picture.ts";
import { rekey, standsUnder } from "./rekey.ts";
import { TurnBack } from "./reasons.ts";
import { type Leg, look, type Run, step, tell } from "./run.ts";
import { holderInWords, truthOf } from "./truth.ts";

/**
 * REGISTER X -> K, the deciding path first. The LUN decides the race with the destination's PREEMPT: a conflict means
 * that the destination was first, and the picture returned shows it.
 *
 * Throws TurnBack `fenced` when a third party has preempted K meanwhile. The destination's registration is the witness:
 * it stands under K (or under its token) until the source has looked, so that K was never off the LUN while it stands.
 */
export async function restoreKey(run: Run, leg: Leg): Promise<Picture> {
  const { key, commitToken } = leg.offer;
  const before = await look(leg);
  if (before.source.under !== "token") return before;
  if (before.destination.under === "gone") await fenced(run, leg, commitToken, before);
  tell(run, "abort", "REGISTER token -> key", leg);
  const [deciding, ...rest] = leg.own;
  if (!await rekey(run, leg, deciding!, commitToken, key)) return await look(leg);
  for (const own of rest) await rekey(run, leg, own, commitToken, key);
  const after = await look(leg);
  if (after.destination.under === "gone") await fenced(run, leg, key, after);
  // A PREEMPT that came between two of our paths has removed the later ones only.
  for (const own of rest) if (standsUnder(run, own, after, 0n)) await rekey(run, leg, own, 0n, key);
  return after;
}

/** A third party removed the guest's key: what is left of the source under `key` goes, nothing comes back. */
async function fenced(run: Run, leg: Leg, key: bigint, picture: Picture): Promise<never> {
  tell(run, "fenced", "REGISTER -> 0: a fenced guest is not brought back", leg);
  for (const own of leg.own) await rekey(run, leg, own, key, 0n);
  throw new TurnBack("fenced", `the guest was fenced on ${leg.lun.device}: ${holderInWords(picture)}`);
}

/**
 * The destination has taken this LUN, but the hand-over goes back: REGISTER 0 -> K. The destination goes in
 * {@link evict}. Refused where the destination has settled on a shared key and so cannot be told from the others.
 */
export async function regain(run: Run, leg: Leg, evictShared: boolean): Promise<Picture> {
  const { key, destinationToken } = leg.offer;
  const before = await look(leg);
  if (!isTaken(before)) return before;
  if (keyIsShared(leg.offer) && before.destination.under === "key" && destinationToken !== null && !evictShared) {
    throw sharedKey(leg, before);
  }
  tell(run, "roll back", "REGISTER 0 -> key", leg);
  for (const own of leg.own) await rekey(run, leg, own, 0n, key);
  const after = await look(leg);
  // Registered after somebody preempted K would be registered after being fenced.
  if (after.destination.under === "gone" || after.source.under === "gone") await fenced(run, leg, key, after);
  return after;
}

/** Removes the destination's registration, whichever key it stands under. The source stands under K before and after. */
export async function evict(run: Run, leg: Leg): Promise<Picture> {
  const picture = await look(leg);
  const { destination, source } = picture;
  if (destination.under === "gone" || source.under !== "key") return picture;
  tell(run, "evict", "PREEMPT the destination's registration", leg);
  if (destination.under === "token") await preempt(run, leg, leg.offer.key, destinationKey(leg.offer));
  else if (hasOneHolder(leg.offer)) await preempt(run, leg, leg.offer.key, leg.offer.key);
  else await evictFromBehindToken(run, leg);
  const after = await look(leg);
  // Preempting our own key through the path that holds has removed our other paths with the destination.
  for (const own of leg.own.slice(1)) {
    if (standsUnder(run, own, after, 0n) && after.source.under === "key") await rekey(run, leg, own, 0n, leg.offer.key);
  }
  return leg.own.length > 1 ? await look(leg) : after;
}

/**
 * Types without a single holder: preempting one's own key would remove the source too, so it steps aside to its token.
 * K is off the LUN for one command, between PREEMPT and the last REGISTER; nothing shorter exists (docs/hand-over.md).
 */
async function evictFromBehindToken(run: Run, leg: Leg): Promise<void> {
  const { key, commitToken } = leg.offer;
  for (const own of leg.own) await rekey(run, leg, own, key, commitToken);
  if (!await preempt(run, leg, commitToken, key)) await fenced(run, leg, commitToken, await look(leg));
  for (const own of leg.own) await rekey(run, leg, own, commitToken, key);
}

async function preempt(run: Run, leg: Leg, rk: bigint, sark: bigint): Promise<boolean> {
  const request = { action: "preempt", rk, sark, type: preemptType(leg.offer) } as const;
  const { result } = await step(run, leg, leg.own[0]!, request, {
    done: (picture) => picture.destination.under === "gone" && picture.source.holds,
    possible: (picture) => picture.destination.under !== "gone" && picture.source.under !== "gone",
  });
  return result === "done";
}

function sharedKey({ lun, offer }: Leg, picture: Picture): PrmigError {
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
