/**
 * The source's way back for a whole hand-over: all LUNs or none. Used by a hand-over that turns back, by `rollback` and
 * by `recover`; it starts from what the LUNs show and may be run any number of times.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { givenUp } from "./given_up.ts";
import { isUnderToken, type Picture } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import { unfinished } from "./report.ts";
import { type Ending, everyLeg, type Leg, look, lookAtAll, type Run, tell, writeDownIfPossible } from "./run.ts";
import { allTaken, hasTaken } from "./taken.ts";
import { hasOneHolder, isEvictedFromAside } from "./offer.ts";
import { truthOf } from "./truth.ts";
import { completePaths, evict, regain, restoreKey } from "./way_back.ts";

/** How long a destination that still lives is given to leave by itself, where evicting it would cost more. */
export const LEAVE_GRACE_MS = 2000;
const LOOK_MS = 100;
/** How long a command that was never answered is given to reach the LUN, or never to. */
const ARRIVE_MS = 200;
/** How long, and how often, a way back that meets with trouble is begun anew. */
const PERSIST_MS = 5000;
const PASSES = 6;

/** How to go back. */
export interface GoBackOptions {
  /** Take the LUNs back although the destination holds all of them (`rollback`). */
  readonly evenIfTaken?: boolean;
  /** A person who was asked, and shown the LUNs, says that nobody fenced the guest (`rollback`). */
  readonly unfenced?: boolean;
  /** Evict everybody who shares the guest's key. */
  readonly evictShared?: boolean;
}

/**
 * Goes back on every LUN. `moved` when the destination turns out to hold all of them; `fenced` when a third party has
 * removed the guest's key on one; otherwise `restored`.
 *
 * What stands in the way is tried again for a while. Errors: PrmigError `unsure` when it stays there, `refused`
 * when the destination could be evicted only with others who share its key.
 */
export async function goBack(run: Run, reason: TurnBack, options: GoBackOptions = {}): Promise<Ending> {
  await writeDownIfPossible(run, run.legs.some((leg) => leg.aside) ? "evicting" : "aborting");
  const { clock } = run.ports;
  const deadline = clock.now() + PERSIST_MS;
  for (let pass = 1;; pass++) {
    try {
      const ending = await goBackOnce(run, reason, options);
      if (ending.outcome === "moved") return ending;
      // A source that steps aside to evict a destination gives that destination a last chance to take.
      const took = run.legs.some((leg, i) => hasTaken(run, leg, ending.pictures[i]!));
      if (took && pass < PASSES) continue;
      await writeDownIfPossible(run, "closed", ending.outcome);
      return ending;
    } catch (error) {
      if (!(error instanceof PrmigError) || error.kind === "refused") throw error;
      if (clock.now() >= deadline || pass >= PASSES) {
        // The answer of whoever reads this error counts for the LUNs as they were when it was thrown.
        if (run.legs.some((leg) => leg.showing)) await writeDownIfPossible(run, "evicting");
        throw error.kind === "unsure" ? error : unfinished(run, error);
      }
      tell(run, "abort", `trying again: ${error.message}`);
      await clock.sleep(LOOK_MS * 2 ** pass);
    }
  }
}

async function goBackOnce(run: Run, reason: TurnBack, options: GoBackOptions): Promise<Ending> {
  const fencings: TurnBack[] = [];
  const guarded = async (leg: Leg, work: () => Promise<Picture>): Promise<Picture> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TurnBack && error.why === "fenced")) throw error;
      fencings.push(error);
      return await look(run, leg);
    }
  };
  // First everything that is still ours: only what was taken beside something that was not has to be regained.
  const first = await everyLeg(run, (leg) => guarded(leg, () => restoreKey(run, leg, options.unfenced ?? false)));
  const dropped = run.legs.map((leg, i) => givenUp(leg, first[i]!) !== null && !hasTaken(run, leg, first[i]!));
  if (allTaken(run, first) && !options.evenIfTaken) return { outcome: "moved", pictures: first };
  if (isLostAfterMove(run, first) && !options.evenIfTaken) return await lostAfterMove(run, first);
  const evictShared = options.evictShared ?? false;
  const taken = run.legs.filter((leg, i) => hasTaken(run, leg, first[i]!));
  const back = await everyLeg(
    run,
    (leg) => guarded(leg, () => taken.includes(leg) ? regain(run, leg, evictShared) : look(run, leg)),
  );
  // A commit of ours that was never answered may have come after all, or come yet; nobody is let go while it stands.
  refuseIfLeftUnderToken(run, back);
  if (run.legs.some((leg) => leg.unanswered)) {
    await run.ports.clock.sleep(ARRIVE_MS);
    refuseIfLeftUnderToken(run, await lookAtAll(run));
  }
  await run.ports.link.send({ record: "abort", reason: reason.message });
  await letLeave(run);
  await everyLeg(run, (leg) => guarded(leg, () => evict(run, leg)));
  const pictures = await everyLeg(run, (leg) => guarded(leg, () => completePaths(run, leg)));
  refuseIfLeftUnderToken(run, pictures);
  const lost = pictures.flatMap(({ source }, i) => source.under === "gone" ? [i] : []);
  if (fencings.length === 0 && lost.length === 0) return { outcome: "restored", pictures };
  const byGuest = fencings.length === 0 && (reason.why === "dropped" || lost.every((i) => dropped[i]));
  return { outcome: byGuest ? "dropped" : "fenced", pictures };
}

/**
 * The destination has taken every LUN, and was fenced on some of them since: the guest may run there, and what is left to it
 * is not taken from it. A LUN that we know to have been under our key again was not taken, but fenced here.
 */
function isLostAfterMove(run: Run, pictures: readonly Picture[]): boolean {
  const isTakenHere = (picture: Picture, i: number): boolean => hasTaken(run, run.legs[i]!, picture);
  return pictures.some(isTakenHere) && pictures.every((picture, i) => {
    const isGone = picture.source.under === "gone" && picture.destination.under === "gone";
    return isTakenHere(picture, i) || isGone && run.legs[i]!.sourceWas !== "key";
  });
}

async function lostAfterMove(run: Run, pictures: readonly Picture[]): Promise<Ending> {
  tell(run, "fenced", "the destination has taken every LUN, and was fenced since");
  await writeDownIfPossible(run, "closed", "fenced");
  return { outcome: "fenced", pictures };
}

/** The LUN has decided against us somewhere on the way, and we do not know yet what it decided: to be looked at anew. */
function refuseIfLeftUnderToken(run: Run, pictures: readonly Picture[]): void {
  const at = pictures.findIndex(isUnderToken);
  if (at < 0) return;
  const { device } = run.legs[at]!.lun;
  throw new PrmigError("failed", {
    message: `${device} is still under this host's commit token`,
    device,
    lun: truthOf(pictures[at]!),
    remedy: "prmig recover",
  });
}

/** Waits for a destination to unregister itself, where that is better than evicting it. */
async function letLeave(run: Run): Promise<void> {
  const { link, clock } = run.ports;
  const patient = !link.duplex || run.legs.some((leg) => isEvictedFromAside(leg.offer));
  const deadline = clock.now() + LEAVE_GRACE_MS + (patient ? LEAVE_GRACE_MS : 0);
  const inNoHurry = (leg: Leg, picture: Picture): boolean =>
    picture.destination.under !== "gone" && !hasTaken(run, leg, picture) &&
    (picture.source.under === "gone" || picture.source.under === "key" && expectsToLeave(leg, picture));
  const expectsToLeave = (
    leg: Leg,
    picture: Picture,
  ): boolean => (link.duplex ? !(hasOneHolder(leg.offer) && picture.destination.holds) : !hasOneHolder(leg.offer));
  for (;;) {
    const pictures = await lookAtAll(run);
    if (!run.legs.some((leg, i) => inNoHurry(leg, pictures[i]!)) || clock.now() >= deadline) return;
    tell(run, "abort", "waiting for the destination to unregister itself");
    const { record } = await link.next(LOOK_MS);
    if (record === "closed") return;
  }
}
