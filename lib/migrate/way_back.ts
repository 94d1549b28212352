/**
 * The source's way back on one LUN: its key again, what was taken regained, a left-over destination evicted.
 *
 * Every function reads the LUN, does what the reading allows, and can be run again after a crash anywhere in it.
 * Why each eviction is the one it is: docs/hand-over.md, "The way back".
 *
 * @module
 */
import type { PrmigError } from "../errors.ts";
import { destinationKey, hasOneHolder, keyIsShared, namesAreKnown, nexusName, preemptType } from "./offer.ts";
import { isUnderToken, type Picture } from "./picture.ts";
import { adopt, holdsWhatThereIs } from "./follow.ts";
import { hasWitness } from "./witness.ts";
import { oneTimeKeyOf, rekey, standsUnder } from "./rekey.ts";
import { TurnBack } from "./reasons.ts";
import {
  type Leg,
  look,
  type OwnPath,
  type Run,
  seenAnew,
  step,
  takesUnasked,
  tell,
  writeDown,
  writeDownIfPossible,
} from "./run.ts";
import { isAsShown, shownOf } from "./shown.ts";
import { hasTaken } from "./taken.ts";
import { makeToken } from "./tokens.ts";
import { holderInWords } from "./truth.ts";
import { changedSinceAsked, hiddenKey, notYet, sharedKey, undecided } from "./way_back_errors.ts";

/** From asking a destination to stay to stepping aside; it stays for twice that time. */
export const STEP_ASIDE_MS = 500;
/** How often it is asked to stay where the LUN does not answer, and it is leaving path by path meanwhile. */
const STIRS = 3;

/**
 * REGISTER X -> K on every path that stands under X, the deciding one first. The LUN decides the race with the destination's
 * PREEMPT: a conflict means that the destination was first, and the picture returned shows it.
 *
 * Throws TurnBack `fenced` when a third party has preempted K meanwhile. The destination's registration is the witness:
 * it stands under K (or under its token) until the source has looked, so that K was never off the LUN while it stands.
 * A source that had stepped aside to evict that witness cannot tell, unless it knows that it did: then a person has to say,
 * by `unfenced`. Throws PrmigError `unsure` until then.
 */
export async function restoreKey(run: Run, leg: Leg, unfenced: boolean): Promise<Picture> {
  const before = await lookWithChange(run, leg);
  const { key } = leg.offer;
  if (before.source.under === "key" && leg.unwitnessed) return await witnessed(run, leg, before);
  if (before.source.under === "key" && isLost(run, leg, before)) await fenced(run, leg, before);
  if (!isUnderToken(before)) return before;
  if (hasWitness(leg, before)) delete leg.aside;
  else if (leg.aside === undefined) await fenced(run, leg, before);
  const restored = leg.own.filter((own) => standsUnder(run, own, before, key));
  // A path that stands under the key was not preempted, then or since: it bears witness itself.
  if (leg.aside === "evicting" && restored.length === 0) refuseUnlessAnswered(run, leg, before, unfenced);
  leg.unwitnessed = hasWitness(leg, before);
  tell(run, "abort", "REGISTER token -> key", leg);
  let decided = false;
  for (const own of leg.own) {
    const token = oneTimeKeyOf(run, own, before);
    if (token === null) continue;
    const isBack = await rekey(run, leg, own, token, key);
    if (!isBack && !decided) return await look(run, leg);
    if (!decided && own !== leg.own.at(-1)) await rememberStanding(run, leg, [...restored, own]);
    decided = true;
  }
  const after = await look(run, leg);
  if (leg.unwitnessed) return await witnessed(run, leg, after);
  // Nobody bears witness to a source that has evicted; its own paths that were back under the key do, and a path of the
  // destination that came late: it does not leave while we stand under a one-time key.
  const isPreempted = after.destination.registrations.length < before.destination.registrations.length;
  if (isPreempted && after.source.under !== "gone") await fenced(run, leg, after);
  await refuseIfTorn(run, leg, restored, after);
  return after;
}

/**
 * A guest that re-keyed itself after our last look, before the commit, stands under that key now; and one that runs again since
 * we are back under its key may have changed the type. That it was the guest, and nobody who fenced it, the witness tells; and
 * that we hold what there is, that the destination does not.
 */
async function lookWithChange(run: Run, leg: Leg): Promise<Picture> {
  const picture = await look(run, leg);
  const { under } = picture.source;
  const mayHaveChanged = under === "other" ||
    under === "key" && (!run.committed || hasWitness(leg, picture) && holdsWhatThereIs(picture));
  return mayHaveChanged && adopt(leg, picture) ? seenAnew(leg, picture) : picture;
}

/** The look after the REGISTER: the destination is still there, or the guest was fenced. */
async function witnessed(run: Run, leg: Leg, picture: Picture): Promise<Picture> {
  if (!hasWitness(leg, picture)) await fenced(run, leg, picture);
  delete leg.unwitnessed;
  return picture;
}

/**
 * Registered under K, and fenced all the same: by a REGISTER of ours that came after the PREEMPT. Of the paths that stood
 * before it none is there, or the destination is gone and a third nexus holds what the guest held.
 */
function isLost(run: Run, leg: Leg, { source, destination, state }: Picture): boolean {
  const { standing } = leg;
  if (standing && !source.registrations.some((r) => standing.includes(nexusName(r) ?? ""))) return true;
  const heldElsewhere = !source.holds && destination.under === "gone" && state.registrations.some((r) => r.holder);
  return run.committed && hasOneHolder(leg.offer) && heldElsewhere;
}

/** Throws PrmigError: `unsure` until a person has answered, `refused` when the LUN is not any more what the answer is about. */
function refuseUnlessAnswered(run: Run, leg: Leg, picture: Picture, unfenced: boolean): void {
  if (!unfenced || leg.asked === undefined) throw ask(run, leg, picture);
  if (!isAsShown(leg.asked, picture.state)) throw changedSinceAsked(run, leg, picture);
}

/** The question to a person. What the person is shown of the LUN is remembered: the answer is about that. */
function ask(run: Run, leg: Leg, picture: Picture): PrmigError {
  leg.showing = shownOf(picture.state);
  return undecided(run, leg, picture);
}

/** A third party removed the guest's key: what is left of the source, under that key or a one-time key, goes; nothing comes back. */
async function fenced(run: Run, leg: Leg, picture: Picture): Promise<never> {
  tell(run, "fenced", "REGISTER -> 0: a fenced guest is not brought back", leg);
  for (const own of leg.own) {
    const from = oneTimeKeyOf(run, own, picture) ?? leg.offer.key;
    if (standsUnder(run, own, picture, from)) await rekey(run, leg, own, from, 0n);
  }
  throw new TurnBack("fenced", `the guest was fenced on ${leg.lun.device}: ${holderInWords(picture)}`);
}

/**
 * The destination has taken this LUN, but the hand-over goes back: REGISTER 0 -> K. The destination goes in
 * {@link evict}. Refused where the destination has settled on a shared key and so cannot be told from the others, and where
 * it has settled on a target that hides names and so could not be told from the source.
 */
export async function regain(run: Run, leg: Leg, evictShared: boolean): Promise<Picture> {
  const { key, destinationToken } = leg.offer;
  const before = await look(run, leg);
  if (!hasTaken(run, leg, before)) return before;
  if (!namesAreKnown(leg.offer) && before.destination.under === "key") throw hiddenKey(leg, before);
  if (keyIsShared(leg.offer) && before.destination.under === "key" && destinationToken !== null && !evictShared) {
    throw sharedKey(leg, before);
  }
  tell(run, "roll back", "REGISTER 0 -> key", leg);
  for (const own of leg.own) await rekey(run, leg, own, 0n, key);
  const after = await look(run, leg);
  // Registered after somebody preempted K would be registered after being fenced.
  if (after.destination.under === "gone" || after.source.under === "gone") await fenced(run, leg, after);
  return after;
}

/** Removes the destination's registration, whichever key it stands under. The source stands under K before and after. */
export async function evict(run: Run, leg: Leg): Promise<Picture> {
  // PREEMPT sets the type anew: it must be the one that the guest, which may run, has now.
  let picture = await lookWithChange(run, leg);
  // One that takes unasked may yet come. It must not, once we have said that nobody came: it looks at PRGENERATION first.
  if (takesUnasked(run) && picture.destination.under === "gone" && picture.source.under === "key") {
    await stir(run, leg);
    picture = await lookWithChange(run, leg);
  }
  const { destination, source } = picture;
  if (destination.under === "gone" || source.under !== "key") return picture;
  tell(run, "evict", "PREEMPT the destination's registration", leg);
  if (destination.under === "token") await preempt(run, leg, leg.offer.key, destinationKey(leg.offer));
  else if (destination.under === "other") await evictFormer(run, leg, picture);
  else if (hasOneHolder(leg.offer)) await preempt(run, leg, leg.offer.key, leg.offer.key);
  else await evictFromBehindToken(run, leg);
  return await look(run, leg);
}

/** The destination stands under a key that the guest had before: nobody but it has that. */
async function evictFormer(run: Run, leg: Leg, { destination }: Picture): Promise<void> {
  for (const key of new Set(destination.registrations.map((r) => r.key))) await preempt(run, leg, leg.offer.key, key);
}

/**
 * Types without a single holder: preempting one's own key would remove the source too, so it steps aside to its token.
 * K is off the LUN for one command, between PREEMPT and the last REGISTER; nothing shorter exists (docs/hand-over.md).
 *
 * Written down before, because a source that dies in between must not be taken for fenced. A destination that lives after
 * all may see the token and take: the LUN decides, and {@link restoreKey} reads it.
 */
async function evictFromBehindToken(run: Run, leg: Leg): Promise<void> {
  const { key } = leg.offer;
  // A destination that lives and is about to leave would look as if it had been fenced. It stays where it sees that the
  // LUN is not still, so: a REGISTER that changes nothing else, and time for the command it may have sent already.
  for (let attempt = 1; !await stir(run, leg); attempt++) {
    const now = await look(run, leg);
    if (now.destination.under === "gone" || now.source.under !== "key") return;
    if (attempt === STIRS) throw notYet(leg, now, "the LUN did not answer");
  }
  await run.ports.clock.sleep(STEP_ASIDE_MS);
  const { offer } = leg;
  const before = await lookWithChange(run, leg);
  if (leg.offer !== offer) throw notYet(leg, before, "the guest is changing its key or reservation");
  if (before.destination.under === "gone" || before.source.under !== "key") return;
  const there = leg.own.filter((own) => standsUnder(run, own, before, key));
  run.committed = true;
  leg.aside = "evicting";
  await writeDown(run, "evicting");
  // Not the commit token: a destination that lives after all would take that for a commit, while the guest runs here.
  const token = makeToken(run.ports.random, keysKnown(leg, before));
  for (const own of there) await rekey(run, leg, own, key, token);
  const by = await preempt(run, leg, token, key);
  if (by === "lun") throw ask(run, leg, await look(run, leg));
  if (by === "nobody") {
    // Nobody was under K any more: the destination has taken, or a third party was first.
    const picture = await look(run, leg);
    if (!isUnderToken(picture) || picture.destination.under !== "gone") return;
    await fenced(run, leg, picture);
  }
  leg.aside = "evicted";
  for (const own of there) {
    await rekey(run, leg, own, token, key);
    if (own === there[0] && there.length > 1) await rememberStanding(run, leg, [own]);
  }
  await refuseIfTorn(run, leg, there, await look(run, leg));
}

/** Keys that a new one-time key must not be. */
function keysKnown({ offer }: Leg, { state }: Picture): bigint[] {
  return [offer.key, offer.commitToken, ...state.registrations.map((r) => r.key)];
}

/**
 * REGISTER 0 -> K on our paths that went with the destination: a PREEMPT of our own key through the path that holds, or the
 * destination's PREEMPT between two of our REGISTERs, removes the others.
 */
export async function completePaths(run: Run, leg: Leg): Promise<Picture> {
  const picture = await look(run, leg);
  if (picture[run.role].under !== "key") return picture;
  if (run.role === "source" && isLost(run, leg, picture)) await fenced(run, leg, picture);
  if (leg.own.length === 1) return picture;
  const { key } = leg.offer;
  const there = leg.own.filter((own) => standsUnder(run, own, picture, key));
  const missing = leg.own.filter((own) => standsUnder(run, own, picture, 0n));
  if (missing.length === 0) return picture;
  if (run.role === "source") await rememberStanding(run, leg, there);
  tell(run, "paths", "REGISTER 0 -> key on the other paths", leg);
  const possible = (now: Picture): boolean => there.some((own) => standsUnder(run, own, now, key));
  for (const own of missing) await rekey(run, leg, own, 0n, key, { possible });
  const after = await look(run, leg);
  await refuseIfTorn(run, leg, there, after);
  return after;
}

/** Writes down which paths stand under the key before others are brought back, which would hide that those were fenced. */
async function rememberStanding(run: Run, leg: Leg, there: readonly OwnPath[]): Promise<void> {
  leg.standing = there.map(({ name }) => name!);
  await writeDownIfPossible(run, leg.aside ? "evicting" : "aborting");
}

/** Paths of ours that stood under K and do not now: the guest was fenced, and a path that came later must go again. */
async function refuseIfTorn(run: Run, leg: Leg, there: readonly OwnPath[], picture: Picture): Promise<void> {
  const { key } = leg.offer;
  if (there.every((own) => standsUnder(run, own, picture, key)) || picture[run.role].under === "gone") return;
  await fenced(run, leg, picture);
}

/** REGISTER K -> K: changes PRGENERATION, and nothing else. False when it may be the destination alone that has. */
async function stir(run: Run, leg: Leg): Promise<boolean> {
  const { key, ptplActive: aptpl } = leg.offer;
  const [own] = leg.own;
  const before = await look(run, leg);
  const { generation } = before.state;
  const standing = (picture: Picture): boolean => standsUnder(run, own!, picture, key);
  const { by } = await step(run, leg, own!, { action: "register", rk: key, sark: key, aptpl }, {
    done: (picture) => standing(picture) && picture.state.generation !== generation,
    possible: standing,
  });
  if (by === "reply") return true;
  // Some targets never answer (LIO that cannot write its APTPL file): whoever moved it, it was not the destination.
  const after = await look(run, leg);
  return after.state.generation !== generation &&
    after.destination.registrations.length === before.destination.registrations.length;
}

/** What shows that the destination was preempted by us: the reply, or no more than the LUN; `nobody`: it was not. */
async function preempt(run: Run, leg: Leg, rk: bigint, sark: bigint): Promise<"reply" | "lun" | "nobody"> {
  const request = { action: "preempt", rk, sark, type: preemptType(leg.offer) } as const;
  const { result, by } = await step(run, leg, leg.own[0]!, request, {
    done: (picture) => picture.destination.under === "gone" && picture.source.holds,
    possible: (picture) => picture.destination.under !== "gone" && picture.source.under !== "gone",
  });
  return result === "conflict" || by === "look" ? "nobody" : by;
}
