/**
 * The source's way back for a whole hand-over: all LUNs or none. Used by a hand-over that turns back, by `rollback` and
 * by `recover`; it starts from what the LUNs show and may be run any number of times.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { isTaken, type Picture } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import { type Ending, everyLeg, type Leg, look, lookAtAll, type Run, tell, writeDown } from "./run.ts";
import { hasOneHolder } from "./offer.ts";
import { evict, regain, restoreKey } from "./way_back.ts";

/** How long a destination that still lives is given to leave by itself, where evicting it would cost more. */
export const LEAVE_GRACE_MS = 2000;
const LOOK_MS = 100;

/** How to go back. */
export interface GoBackOptions {
  /** Take the LUNs back although the destination holds all of them (`rollback`). */
  readonly evenIfTaken?: boolean;
  /** Evict everybody who shares the guest's key. */
  readonly evictShared?: boolean;
}

/**
 * Goes back on every LUN. `moved` when the destination turns out to hold all of them; `fenced` when a third party has
 * removed the guest's key on one; otherwise `restored`.
 */
export async function goBack(run: Run, reason: TurnBack, options: GoBackOptions = {}): Promise<Ending> {
  await writeDownIfPossible(run);
  const fencings: TurnBack[] = [];
  const guarded = async (leg: Leg, work: () => Promise<Picture>): Promise<Picture> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TurnBack && error.why === "fenced")) throw error;
      fencings.push(error);
      return await look(leg);
    }
  };
  // First everything that is still ours: only what was taken beside something that was not has to be regained.
  const first = await everyLeg(run, (leg) => guarded(leg, () => restoreKey(run, leg)));
  const taken = (picture: Picture): boolean => run.committed && isTaken(picture);
  if (first.every(taken) && !options.evenIfTaken) return { outcome: "moved", pictures: first };
  const evictShared = options.evictShared ?? false;
  await everyLeg(run, (leg) => guarded(leg, () => run.committed ? regain(run, leg, evictShared) : look(leg)));
  await run.ports.link.send({ record: "abort", reason: reason.message });
  await letLeave(run);
  await everyLeg(run, (leg) => guarded(leg, () => evict(run, leg)));
  const pictures = await lookAtAll(run);
  const lost = pictures.some((picture) => picture.source.under === "gone");
  const outcome = fencings.length > 0 || lost ? "fenced" : "restored";
  await writeDown(run, "closed", outcome);
  return { outcome, pictures };
}

/** A journal that cannot be written is no reason to leave the source without its key. */
async function writeDownIfPossible(run: Run): Promise<void> {
  try {
    await writeDown(run, "aborting");
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    tell(run, "abort", `going back without a journal: ${error.message}`);
  }
}

/** Waits for a destination to unregister itself, where that is better than evicting it. */
async function letLeave(run: Run): Promise<void> {
  const { link, clock } = run.ports;
  const deadline = clock.now() + LEAVE_GRACE_MS + (link.duplex ? 0 : LEAVE_GRACE_MS);
  const inNoHurry = (leg: Leg, picture: Picture): boolean =>
    picture.destination.under !== "gone" && picture.source.under === "key" &&
    (link.duplex ? !(hasOneHolder(leg.offer) && picture.destination.holds) : !hasOneHolder(leg.offer));
  for (;;) {
    const pictures = await lookAtAll(run);
    if (!run.legs.some((leg, i) => inNoHurry(leg, pictures[i]!)) || clock.now() >= deadline) return;
    tell(run, "abort", "waiting for the destination to unregister itself");
    const { record } = await link.next(LOOK_MS);
    if (record === "closed") return;
  }
}
