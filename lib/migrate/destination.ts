/**
 * The destination's side of a hand-over: check, register, wait for the commit, take, verify, settle.
 *
 *   preparing -> prepared -> taking -> taken -> settling -> closed
 *          \         \-> leaving -> closed
 *
 * The one rule that everything here obeys: while the source stands under the commit token, the destination does not
 * leave. Its registration keeps the guest's key on the LUN, and its absence means that the guest was fenced.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { refuseIfChanged, refuseIfLost, refuseIfStirred, refuseUnlessPossible } from "./checks.ts";
import { followSource } from "./follow.ts";
import { givenUp } from "./given_up.ts";
import { LEAVE_GRACE_MS } from "./go_back.ts";
import { leave, Stillness } from "./leave.ts";
import { destinationKey, preemptType } from "./offer.ts";
import { isCommitted, isTaken, type Picture } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import { rekey } from "./rekey.ts";
import { reportDestination, unfinished } from "./report.ts";
import {
  type Ending,
  everyLeg,
  type Leg,
  lookAgain,
  lookAtAll,
  type Run,
  step,
  takesUnasked,
  tell,
  writeDown,
  writeDownIfPossible,
} from "./run.ts";
import { stayMs } from "./lease.ts";
import { allTaken, isTakenByAnother } from "./taken.ts";
import { completePaths } from "./way_back.ts";
import { bearWitness } from "./witness.ts";

const LOOK_MS = { first: 10, longest: 250, besideMessages: 1000 };

/**
 * Runs the destination's side from a validated offer to its end.
 *
 * Resolves with `moved`. Errors: PrmigError `refused` or `failed` with nothing of ours left on the LUN, or `unsure`.
 */
export async function runDestination(run: Run): Promise<Ending> {
  const came: Came = { somewhere: false, everywhere: false, released: false, stayUntil: 0, still: new Stillness() };
  try {
    await prepare(run, came);
    await awaitCommitted(run, came);
    return await takeAll(run);
  } catch (error) {
    if (!(error instanceof TurnBack || error instanceof PrmigError)) throw error;
    tell(run, "leave", error.message);
    // A source that never saw us on every LUN cannot have committed: then we may go at once.
    if (!came.everywhere) await run.ports.link.send({ record: "refused", reason: error.message });
    const ending = await wayOut(run, came);
    return ending.outcome === "moved" ? ending : reportDestination(run, error, ending);
  }
}

/** Leaves, or ends well all the same. Throws PrmigError `unsure` when neither can be done. */
async function wayOut(run: Run, { somewhere, everywhere, released, stayUntil, still }: Came): Promise<Ending> {
  if (!somewhere) return await asItIs(run);
  try {
    const ending = await leave(run, { released: released || !everywhere || takesUnasked(run), stayUntil, still });
    if (everywhere) await run.ports.link.send({ record: "left" });
    return ending.outcome === "moved" ? await settle(run, ending.pictures) : ending;
  } catch (error) {
    if (error instanceof PrmigError && error.kind !== "unsure") throw unfinished(run, error);
    throw error;
  }
}

/** How far we have come. */
interface Came {
  /** Registered with some LUN, perhaps. */
  somewhere: boolean;
  /** Registered with every LUN, perhaps: the source may have seen it, and commit. */
  everywhere: boolean;
  /** It has said that it will not commit any more, or cannot. */
  released: boolean;
  /** Until then it may commit: it counts its window from an earlier moment than we do. */
  stayUntil: number;
  readonly still: Stillness;
}

/** The ending of a hand-over that was refused before anything was sent. */
async function asItIs(run: Run): Promise<Ending> {
  return { outcome: "nothing", pictures: await lookAgain(run, []) };
}

/** From a LUN that shows the commit to the end; `recover` enters here. */
export async function takeAll(run: Run): Promise<Ending> {
  const pictures = await take(run);
  await awaitVerified(run);
  return await settle(run, pictures);
}

/** REGISTER 0 -> K (or its token) on every path, after and before a look at the source. */
async function prepare(run: Run, came: Came): Promise<void> {
  const before = await lookAtAll(run);
  run.legs.forEach((leg, i) => refuseUnlessPossible(leg, before[i]!));
  bearWitness(run.legs);
  await writeDown(run, "preparing");
  tell(run, "prepare", "REGISTER 0 -> key");
  came.somewhere = true;
  try {
    await everyLeg(run, (leg) => register(run, leg));
  } catch (error) {
    came.everywhere = error instanceof PrmigError && error.kind === "unsure";
    throw error;
  } finally {
    came.stayUntil = run.ports.clock.now() + stayMs(run);
  }
  came.everywhere = true;
  // A source that went while we came must not come back through us.
  const pictures = await lookAtAll(run);
  came.still.since(pictures, run.ports.clock.now());
  refuseIfLost(run, pictures);
  if (takesUnasked(run)) refuseIfStirred(run, pictures);
  await writeDown(run, "prepared");
  await run.ports.link.send({ record: "prepared" });
  tell(run, "prepared", "registered; waiting for the source to commit");
}

async function register(run: Run, leg: Leg): Promise<void> {
  for (const own of leg.own) {
    // Only a source under its key has surely not seen us, and cannot have been fenced after it did.
    const again = { possible: (picture: Picture) => picture.source.under === "key" };
    if (await rekey(run, leg, own, 0n, destinationKey(leg.offer), again)) continue;
    throw new TurnBack("refused", `this host is already registered with ${leg.lun.device}, or the LUN refuses it`);
  }
}

/** Waits until the source stands under its token on every LUN. */
async function awaitCommitted(run: Run, came: Came): Promise<void> {
  const { link, clock } = run.ports;
  if (takesUnasked(run)) return;
  let listening = link.duplex;
  let asked = false;
  for (let pause = LOOK_MS.first;; pause = Math.min(2 * pause, LOOK_MS.longest)) {
    const message = await link.next(listening ? LOOK_MS.besideMessages : pause);
    if (message.record === "alive") {
      came.stayUntil = clock.now() + stayMs(run);
      await link.send({ record: "alive", n: message.n });
      continue;
    }
    if (message.record === "update") {
      await followSource(run, message.index, message.offer);
      continue;
    }
    // PREEMPT of the token is the check: where the source does not stand under it, the LUN refuses.
    if (message.record === "committed") return;
    if (message.record === "closed") listening = false;
    if (message.record === "abort") throw new TurnBack("aborted", `the source gave up: ${message.reason}`);
    const pictures = await lookAtAll(run);
    came.still.since(pictures, clock.now());
    if (run.method === "token" && pictures.every(isCommitted)) return;
    const gaveUp = (leg: Leg, picture: Picture): boolean =>
      givenUp(leg, picture) === "unregistered" && !isTakenByAnother(run, leg, picture);
    if (run.legs.some((leg, i) => gaveUp(leg, pictures[i]!))) {
      // For the source to see, before we leave, that it was the guest, and not somebody who removed us as well.
      await link.next(LEAVE_GRACE_MS);
      came.released = true;
      throw new TurnBack("dropped", "the guest gave up what was offered");
    }
    refuseIfLost(run, pictures);
    if (!listening) refuseIfChanged(run, pictures);
    if (run.ports.interrupted() && listening && !asked) {
      asked = await link.send({ record: "withdraw", reason: "interrupted at the destination" });
    }
    // A source in the middle of its commit is waited for longer, but not for ever: it may have been killed there.
    const patienceMs = pictures.some((p) => p.source.under === "token") ? stayMs(run) : 0;
    if (clock.now() < came.stayUntil + patienceMs) continue;
    if (run.ports.interrupted()) throw new TurnBack("interrupted", "interrupted");
    if (!link.duplex || !listening) throw new TurnBack("timeout", "the source did not commit in time");
  }
}

/** PREEMPT of the commit token on every LUN; the LUN decides the race with the source's way back. */
async function take(run: Run): Promise<Picture[]> {
  run.committed = true;
  await writeDown(run, "taking");
  tell(run, "take", run.method === "token" ? "PREEMPT token" : "PREEMPT key");
  const results = await everyLeg(run, async (leg) => {
    const request = {
      action: "preempt",
      rk: destinationKey(leg.offer),
      sark: run.method === "token" ? leg.offer.commitToken : leg.offer.key,
      type: preemptType(leg.offer),
    } as const;
    delete leg.took; // until it is answered
    const { result, by } = await step(run, leg, leg.own[0]!, request, {
      done: isTaken,
      possible: (p) => p.source.under === (run.method === "token" ? "token" : "key") && p.destination.under !== "gone",
    });
    // GOOD proves that the source stood under its token; without an answer it may have gone another way.
    if (result === "done" && by === "reply") leg.took = true;
    else if (by !== "lun") leg.took = false;
    return result === "done" && leg.took !== false;
  });
  // Both sides verify at the same time: the source has a unit attention to get past before it can read.
  if (results.every(Boolean)) await run.ports.link.send({ record: "taken" });
  const pictures = await lookAtAll(run);
  refuseIfLost(run, pictures);
  if (!allTaken(run, pictures)) throw new TurnBack("aborted", "the source took its key back first");
  tell(run, "taken", "the LUN shows that this host holds");
  return pictures;
}

/** Waits for the source to have seen it, so that a shared key is taken on only when the move is final. */
async function awaitVerified(run: Run): Promise<void> {
  const { link, clock } = run.ports;
  if (!link.duplex || run.legs.every((leg) => leg.offer.destinationToken === null)) return;
  const deadline = clock.now() + run.timeoutMs;
  while (clock.now() < deadline) {
    const message = await link.next(LOOK_MS.besideMessages);
    if (message.record === "verified" || message.record === "closed") return;
    if (message.record === "alive") await link.send({ record: "alive", n: message.n });
    if (message.record === "abort") throw new TurnBack("aborted", `the source rolled back: ${message.reason}`);
  }
}

/** REGISTER Y -> K where the destination stood under a token; the end. `recover` enters here. */
export async function settle(run: Run, pictures: readonly Picture[]): Promise<Ending> {
  const underToken = run.legs.some((leg) => leg.offer.destinationToken !== null);
  // A PREEMPT of our own key has removed our other paths with the source.
  if (run.method === "plain") await everyLeg(run, (leg) => completePaths(run, leg));
  if (underToken) {
    await writeDownIfPossible(run, "settling");
    await everyLeg(run, async (leg) => {
      const { destinationToken, key } = leg.offer;
      if (destinationToken === null) return;
      tell(run, "settle", "REGISTER token -> key", leg);
      for (const own of leg.own) await rekey(run, leg, own, destinationToken, key);
    });
  }
  await run.ports.link.send({ record: "settled" });
  await writeDownIfPossible(run, "closed", "moved");
  return { outcome: "moved", pictures: underToken ? await lookAgain(run, pictures) : pictures };
}
