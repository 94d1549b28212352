/**
 * The source's side of a hand-over: wait until the destination is prepared, commit, see the destination take, verify.
 * If anything is in the way, go back (way_back.ts); what is reported is what the LUN shows at the end.
 *
 *   offered -> prepared -> committing -> taken -> verified -> closed
 *                 \            \-> aborting -> closed        the LUN decides the race between aborting and taken
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { isPrepared, isUnderToken, type Picture } from "./picture.ts";
import { rekey } from "./rekey.ts";
import { TurnBack } from "./reasons.ts";
import {
  type Ending,
  everyLeg,
  type Leg,
  look,
  lookAgain,
  lookAtAll,
  type Run,
  tell,
  writeDown,
  writeDownIfPossible,
} from "./run.ts";
import { givenUp, givenUpInWords } from "./given_up.ts";
import { goBack } from "./go_back.ts";
import { Lease } from "./lease.ts";
import { allTaken, hasTaken } from "./taken.ts";
import { holderInWords } from "./truth.ts";
import { callWitnesses, hasWitness } from "./witness.ts";
import { reportSource } from "./report.ts";
import { followGuest, offerNow } from "./follow.ts";

/** Pause between two looks at a LUN that has to signal for the other side, growing from the first to the second. */
const LOOK_MS = { first: 10, longest: 250, besideMessages: 1000 };

/** What ends the wait for a destination to settle. */
const ENDINGS: readonly string[] = ["settled", "quiet", "closed"];

/** Holds the prepared hand-over until the moment of the switch; rejects to call it off. */
export type Gate = (signal: AbortSignal) => Promise<void>;

/**
 * Runs the source's side from the sent offer to its end.
 *
 * Resolves with `moved`. Errors: PrmigError, with the LUN as before (`failed`, `refused`, `interrupted`), or `unsure`.
 */
export async function runSource(run: Run, lease: Lease, gate?: Gate): Promise<Ending> {
  try {
    await awaitPrepared(run, lease);
    if (gate) await holdPrepared(run, lease, gate);
    await commit(run, lease);
    const pictures = await awaitTaken(run);
    return await verified(run, pictures);
  } catch (error) {
    const reason = asTurnBack(error);
    tell(run, "abort", reason.message);
    const ending = await goBack(run, reason);
    return ending.outcome === "moved" ? await verified(run, ending.pictures) : reportSource(run, reason, ending);
  }
}

/** Waits for the destination, looking at the LUN: what it says there counts, whatever it says on the stream. */
async function awaitPrepared(run: Run, lease: Lease): Promise<void> {
  const { link, clock } = run.ports;
  const deadline = clock.now() + run.timeoutMs;
  let said = !link.duplex;
  for (let pause = LOOK_MS.first;; pause = Math.min(2 * pause, LOOK_MS.longest)) {
    if (said) {
      const pictures = await lookAtAll(run);
      refuseIfGone(run, pictures);
      if (allTaken(run, pictures)) return;
      refuseIfChanged(run, pictures);
      if (pictures.every(isPrepared)) {
        callWitnesses(run.legs, pictures);
        return tell(run, "prepared", "the destination is registered");
      }
    }
    await lease.renewWhenDue(link, clock);
    const message = await link.next(link.duplex ? LOOK_MS.besideMessages : pause);
    if (message.record === "prepared") said = true;
    else if (message.record === "alive") lease.answered(message.n);
    else refuseIfOver(run, message);
    refuseIfLate(run, deadline, "the destination did not register itself");
  }
}

/** Keeps the hand-over prepared until the gate opens: follows the guest's changes, stays in touch. */
async function holdPrepared(run: Run, lease: Lease, gate: Gate): Promise<void> {
  const { link, clock } = run.ports;
  const calledOff = new AbortController();
  const opening = { open: false, failure: undefined as unknown };
  const opened = gate(calledOff.signal).catch((error) => opening.failure = error).then(() => opening.open = true);
  try {
    while (!opening.open) {
      await lease.renewWhenDue(link, clock);
      const message = await link.next(LOOK_MS.besideMessages, opened);
      if (message.record === "alive") lease.answered(message.n);
      else refuseIfOver(run, message);
      if (!opening.open) refuseIfGone(run, await followGuest(run));
      if (run.ports.interrupted()) throw new TurnBack("interrupted", "interrupted");
    }
  } finally {
    calledOff.abort();
  }
  if (opening.failure !== undefined) throw opening.failure;
  // The guest stands still only now: what it did since the last look must not be missed.
  refuseIfGone(run, await followGuest(run));
}

/** REGISTER K -> X on every path of every LUN, inside the window in which the destination is sure to stay. */
async function commit(run: Run, lease: Lease): Promise<void> {
  await lease.ensure(run.ports.link, run.ports.clock);
  run.committed = true;
  await writeDown(run, "committing");
  if (run.method === "token") {
    tell(run, "commit", "REGISTER key -> token");
    await everyLeg(run, (leg) => standAside(run, leg));
  }
  await run.ports.link.send({ record: "committed" });
}

async function standAside(run: Run, leg: Leg): Promise<void> {
  for (const own of leg.own) {
    if (await rekey(run, leg, own, leg.offer.key, leg.offer.commitToken)) continue;
    refuseIfGone({ ...run, committed: false, legs: [leg] }, [await look(run, leg)]);
    throw new TurnBack("refused", `${leg.lun.device} is no longer as it was offered: it refuses the commit`);
  }
}

/** Sees the destination take every LUN. */
async function awaitTaken(run: Run): Promise<Picture[]> {
  const { link, clock } = run.ports;
  const deadline = clock.now() + run.timeoutMs;
  let said = !link.duplex;
  for (let pause = LOOK_MS.first;; pause = Math.min(2 * pause, LOOK_MS.longest)) {
    if (said) {
      const pictures = await lookAtAll(run);
      if (allTaken(run, pictures)) return pictures;
      refuseIfGone(run, pictures);
    }
    const message = await link.next(link.duplex ? LOOK_MS.besideMessages : pause);
    // A silent link is no reason to give up: from here on the LUN tells.
    if (message.record !== "alive") said = true;
    if (message.record === "refused" || message.record === "withdraw") throw new TurnBack("refused", message.reason);
    refuseIfLate(run, deadline, "the destination did not take the reservation");
  }
}

/** The move can no longer be undone: say so, let the destination settle, close. */
async function verified(run: Run, pictures: readonly Picture[]): Promise<Ending> {
  const { link } = run.ports;
  tell(run, "verified", "the LUN shows that the destination holds");
  let last = pictures;
  if (await link.send({ record: "verified" })) {
    // Nothing depends on the answer; with it the report shows the destination under its final key.
    let said: string;
    do said = (await link.next(LOOK_MS.besideMessages)).record; while (!ENDINGS.includes(said));
    const underToken = run.legs.some((leg) => leg.offer.destinationToken !== null);
    if (said === "settled" && underToken) last = await lookAgain(run, pictures);
  }
  await writeDownIfPossible(run, "closed", "moved");
  return { outcome: "moved", pictures: last };
}

/** Pictures in which the source is gone although nobody took from it, or the destination gone under a commit. */
function refuseIfGone(run: Run, pictures: readonly Picture[]): void {
  pictures.forEach((picture, i) => {
    const { source } = picture;
    const gone = source.under === "gone" && !hasTaken(run, run.legs[i]!, picture);
    const witnessGone = isUnderToken(picture) && !hasWitness(run.legs[i]!, picture);
    if (!gone && !witnessGone) return;
    const how = givenUp(run.legs[i]!, picture);
    if (how !== null) throw new TurnBack("dropped", givenUpInWords(run.legs[i]!, how));
    const what = gone ? "this host's registration was removed" : "the guest's key was removed";
    throw new TurnBack("fenced", `${what} on ${run.legs[i]!.lun.device} by a third party: ${holderInWords(picture)}`);
  });
}

/** A guest that changes its key or reservation between the offer and the commit has not stood still. */
function refuseIfChanged(run: Run, pictures: readonly Picture[]): void {
  pictures.forEach((picture, i) => {
    const { lun, offer } = run.legs[i]!;
    if (offerNow(offer, picture) === null) return;
    throw new TurnBack("refused", `the guest changed its key or reservation on ${lun.device} after the offer`);
  });
}

function refuseIfOver(run: Run, message: Awaited<ReturnType<Run["ports"]["link"]["next"]>>): void {
  if (message.record === "refused" || message.record === "withdraw") throw new TurnBack("refused", message.reason);
  if (message.record === "closed" && run.ports.link.duplex) {
    throw new TurnBack("link", "the connection to the destination ended");
  }
}

function refuseIfLate(run: Run, deadline: number, what: string): void {
  if (run.ports.interrupted()) throw new TurnBack("interrupted", "interrupted");
  if (run.ports.clock.now() >= deadline) throw new TurnBack("timeout", `${what} within ${run.timeoutMs / 1000} s`);
}

function asTurnBack(error: unknown): TurnBack {
  if (error instanceof TurnBack) return error;
  if (error instanceof PrmigError) return new TurnBack("failed", error.message, { cause: error });
  throw error;
}
