/**
 * The destination's way out: unregister on every LUN, but only where that is safe, and wait until it is.
 *
 * Safe means: the source does not stand under its token (our registration then keeps the guest's key on the LUN), it will
 * not commit any more, we do not hold what it has yet to regain, and it has had the time to look after it took its key back.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { LEAVE_GRACE_MS } from "./go_back.ts";
import { stayMs } from "./lease.ts";
import { givenUp } from "./given_up.ts";
import { destinationKey, hasOneHolder, isEvictedFromAside } from "./offer.ts";
import { isSourceIntact, isUnderToken, type Picture } from "./picture.ts";
import { rekeyHow, standsUnder } from "./rekey.ts";
import { type Ending, everyLeg, type Leg, look, lookAtAll, type Run, tell, writeDownIfPossible } from "./run.ts";
import { allTaken, hasTaken, isTakenByAnother } from "./taken.ts";
import { truthOf } from "./truth.ts";
import { STEP_ASIDE_MS } from "./way_back.ts";

const LOOK_MS = 100;

/** What a destination that leaves knows of the source. */
export interface LeaveOptions {
  /** The source is known not to commit any more, or never could. */
  readonly released: boolean;
  /** On the clock of the hand-over: until then the source may commit. */
  readonly stayUntil: number;
  /** What was seen of the LUNs so far. */
  readonly still?: Stillness;
}

/** How long a LUN must have been still before a destination leaves by itself that the source may be stepping aside to evict. */
const STILL_MS = 2 * STEP_ASIDE_MS;

/**
 * Leaves. Ends `restored` (the source holds), `fenced` (it is gone, and so are we), `moved` when it turns out that we hold
 * every LUN after all, or `nothing`: we are gone, and how it ends is the source's to say.
 *
 * Throws PrmigError `unsure` when we could not leave in time.
 */
export async function leave(run: Run, options: LeaveOptions): Promise<Ending> {
  const { released, stayUntil, still = new Stillness() } = options;
  const { link, clock } = run.ports;
  const deadline = clock.now() + Math.max(run.timeoutMs, stayMs(run)) + 2 * LEAVE_GRACE_MS;
  await writeDownIfPossible(run, "leaving");
  let free = released;
  let left = false;
  let dropped = false;
  for (;;) {
    const pictures = await lookOrWait(run, deadline);
    if (pictures === null) continue;
    if (allTaken(run, pictures)) return { outcome: "moved", pictures };
    // Where we have taken, it is us who removed the source.
    dropped ||= run.legs.some((leg, i) => givenUp(leg, pictures[i]!) !== null && !hasTaken(run, leg, pictures[i]!));
    const stillMs = still.since(pictures, clock.now());
    const gone = pictures.every((p) => p.destination.under === "gone");
    const aside = pictures.some(isUnderToken);
    const late = clock.now() >= deadline;
    const tooLate = clock.now() >= deadline + 2 * LEAVE_GRACE_MS;
    const sure = left && isAllBack(run, pictures);
    if (gone && (sure || tooLate || isOver(pictures, stillMs))) return await close(run, pictures, dropped);
    const graceOver = !aside && stillMs >= LEAVE_GRACE_MS && clock.now() >= stayUntil;
    const byLeg = new Map(run.legs.map((leg, i) => [leg, pictures[i]!]));
    // A source that is gone has nothing to come back to, nor anybody to evict.
    const mayGo = (leg: Leg): boolean =>
      graceOver || byLeg.get(leg)!.source.under === "gone" ||
      free && (!isEvictedFromAside(leg.offer) || stillMs >= STILL_MS);
    const went = await everyLeg(run, async (leg) => mayGo(leg) && await unregister(run, leg, byLeg.get(leg)!));
    if (went.some(Boolean)) {
      left = true;
      continue;
    }
    // Moved, and then fenced on some of the LUNs: nobody has come for the others, which stay where the guest went.
    if (late && isLostAfterMove(run, pictures)) return await close(run, pictures, dropped);
    // A source that has come back, or gone, a moment ago is no obstacle any more: the LUN has but to be still.
    if (!gone && late && (aside || tooLate)) throw stuck(run, pictures);
    const message = await link.next(LOOK_MS);
    if (message.record === "abort") free = true;
  }
}

/**
 * Every path of the source is back under its key. A source that was fenced while it registered its other paths again
 * drops them in a moment; of those that stood before, which none brings back, one is missing until then.
 */
function isAllBack({ legs }: Run, pictures: readonly Picture[]): boolean {
  return pictures.every(({ source }, i) =>
    source.under === "gone" || source.under === "key" && source.agreed &&
      source.registrations.length >= legs[i]!.offer.source.length
  );
}

/**
 * Removed by somebody else, we cannot tell at once whether the source evicted us or the guest was fenced: the source decides
 * that, and may have to drop its key again. This is how long it is given.
 */
function isOver(pictures: readonly Picture[], stillMs: number): boolean {
  if (pictures.some((p) => p.source.under === "gone")) return true;
  return stillMs >= (pictures.some(isUnderToken) ? 2 * LEAVE_GRACE_MS : STILL_MS);
}

/** Of what we took, a third party has removed something, and the source wants nothing back. */
function isLostAfterMove(run: Run, pictures: readonly Picture[]): boolean {
  const isLost = ({ source, destination }: Picture): boolean => source.under === "gone" && destination.under === "gone";
  return pictures.some(isLost) &&
    pictures.every((picture, i) => isLost(picture) || hasTaken(run, run.legs[i]!, picture));
}

/** Looks; `null` after a while when a LUN cannot be read now. Throws its PrmigError once the time is up. */
async function lookOrWait(run: Run, deadline: number): Promise<Picture[] | null> {
  const { clock } = run.ports;
  try {
    return await lookAtAll(run);
  } catch (error) {
    if (!(error instanceof PrmigError) || clock.now() >= deadline) throw error;
    tell(run, "leave", `trying again: ${error.message}`);
    await clock.sleep(LOOK_MS);
    return null;
  }
}

/**
 * Since when nobody has changed a registration. Told by PRGENERATION, so that a source that stepped under its token and
 * back between two of our looks is given its time to look as well; and so that it can ask us to stay for a moment
 * (way_back.ts, "steps aside").
 */
export class Stillness {
  #generations = "";
  #since = 0;

  /** Milliseconds for which these LUNs have been as they are. */
  since(pictures: readonly Picture[], now: number): number {
    const generations = pictures.map((p) => `${p.state.generation}${p.source.under}`).join();
    if (generations !== this.#generations) [this.#generations, this.#since] = [generations, now];
    return now - this.#since;
  }
}

async function unregister(run: Run, leg: Leg, first: Picture): Promise<boolean> {
  const keys = [destinationKey(leg.offer), ...leg.formerKeys ?? []];
  let picture = first;
  const { clock } = run.ports;
  // A look at several LUNs takes as long as the slowest of them, and the source may have asked us to stay on this one since.
  if (run.legs.length > 1 && isEvictedFromAside(leg.offer) && mayUnregister(run, leg, first)) {
    picture = await look(run, leg);
    if (picture.state.generation !== first.state.generation) return false;
  }
  let lookedAt = clock.now();
  let changes = 0;
  let went = false;
  for (const own of leg.own) {
    const key = keys.find((each) => standsUnder(run, own, picture, each));
    if (key === undefined) continue;
    if (!mayUnregister(run, leg, picture)) break;
    tell(run, "leave", "REGISTER key -> 0", leg);
    const { result, by } = await rekeyHow(run, leg, own, key, 0n, { once: true });
    went ||= result === "done";
    if (own === leg.own.at(-1)) break;
    changes += result === "done" ? 1 : 0;
    if (by === "reply" && clock.now() - lookedAt < STEP_ASIDE_MS / 2) continue;
    // It took long, and the source may have asked us to stay since we looked: the next path goes only where nothing has
    // changed but by our own doing.
    const expected = (picture.state.generation + changes) >>> 0;
    [picture, lookedAt, changes] = [await look(run, leg), clock.now(), 0];
    if (picture.state.generation !== expected) break;
  }
  return went;
}

/** True where our registration is of no use to the source, nor to the reservation, any more. */
function mayUnregister(run: Run, leg: Leg, picture: Picture): boolean {
  if (picture.destination.under === "gone" || isUnderToken(picture)) return false;
  if (hasTaken(run, leg, picture)) return false; // the source has yet to come for it
  return !(hasOneHolder(leg.offer) && picture.destination.holds); // the reservation would go with us
}

async function close(run: Run, pictures: readonly Picture[], dropped: boolean): Promise<Ending> {
  const gone = pictures.some((p) => p.source.under === "gone");
  const outcome = run.legs.some((leg, i) => isTakenByAnother(run, leg, pictures[i]!))
    ? "nothing"
    : gone
    ? dropped ? "dropped" : "fenced"
    : pictures.every(isSourceIntact) && isAllBack(run, pictures)
    ? "restored"
    : "nothing";
  await writeDownIfPossible(run, "closed", outcome);
  return { outcome, pictures };
}

function stuck(run: Run, pictures: readonly Picture[]): PrmigError {
  const devices = run.legs.map((leg) => leg.lun.device).join(", ");
  return new PrmigError("unsure", {
    message: `Cannot leave ${devices}: the source has neither finished nor taken its key back`,
    device: devices,
    lun: pictures.map(truthOf).join(" | "),
    remedy: "prmig recover on the source, then prmig recover here",
  });
}
