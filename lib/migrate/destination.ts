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
import { refuseIfChanged, refuseIfLost, refuseUnlessPossible } from "./checks.ts";
import { followSource } from "./follow.ts";
import { leave } from "./leave.ts";
import { destinationKey, preemptType } from "./offer.ts";
import { isTaken, type Picture } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import { rekey } from "./rekey.ts";
import { reportDestination } from "./report.ts";
import { type Ending, everyLeg, look, lookAtAll, type Run, step, tell, writeDown } from "./run.ts";
import { stayMs } from "./lease.ts";

const LOOK_MS = { first: 10, longest: 250, besideMessages: 1000 };

/**
 * Runs the destination's side from a validated offer to its end.
 *
 * Resolves with `moved`. Errors: PrmigError `refused` or `failed` with nothing of ours left on the LUN, or `unsure`.
 */
export async function runDestination(run: Run): Promise<Ending> {
  const came: Came = { somewhere: false, everywhere: false };
  try {
    await prepare(run, came);
    await awaitCommitted(run);
    return await takeAll(run);
  } catch (error) {
    if (!(error instanceof TurnBack || error instanceof PrmigError)) throw error;
    tell(run, "leave", error.message);
    // A source that never saw us on every LUN cannot have committed: then we may go at once.
    if (!came.everywhere) await run.ports.link.send({ record: "refused", reason: error.message });
    const ending = came.somewhere ? await leave(run, !came.everywhere) : await asItIs(run);
    if (came.everywhere) await run.ports.link.send({ record: "left" });
    return ending.outcome === "moved" ? await settle(run, ending.pictures) : reportDestination(run, error, ending);
  }
}

/** How far prepare has come: registered with some LUN, or with every one. */
interface Came {
  somewhere: boolean;
  everywhere: boolean;
}

/** The ending of a hand-over that was refused before anything was sent. */
async function asItIs(run: Run): Promise<Ending> {
  return { outcome: "nothing", pictures: await lookAtAll(run) };
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
  await writeDown(run, "preparing");
  tell(run, "prepare", "REGISTER 0 -> key");
  came.somewhere = true;
  const after = await everyLeg(run, async (leg) => {
    for (const own of leg.own) {
      if (await rekey(run, leg, own, 0n, destinationKey(leg.offer))) continue;
      throw new TurnBack("refused", `this host is already registered with ${leg.lun.device}, or the LUN refuses it`);
    }
    return await look(leg);
  });
  // A source that went while we came must not come back through us.
  refuseIfLost(run, after);
  came.everywhere = true;
  await writeDown(run, "prepared");
  await run.ports.link.send({ record: "prepared" });
  tell(run, "prepared", "registered; waiting for the source to commit");
}

/** Waits until the source stands under its token on every LUN. */
async function awaitCommitted(run: Run): Promise<void> {
  const { link, clock } = run.ports;
  // A plain source has no way to show on the LUN that it is ready.
  if (run.method === "plain" && !link.duplex) return;
  // The source may commit until its window ends, and counts it from an earlier moment than we do.
  let stayUntil = clock.now() + stayMs(run);
  let listening = link.duplex;
  let asked = false;
  for (let pause = LOOK_MS.first;; pause = Math.min(2 * pause, LOOK_MS.longest)) {
    const message = await link.next(listening ? LOOK_MS.besideMessages : pause);
    if (message.record === "alive") {
      stayUntil = clock.now() + stayMs(run);
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
    if (run.method === "token" && pictures.every((p) => p.source.under === "token" && p.destination.under !== "gone")) {
      return;
    }
    refuseIfLost(run, pictures);
    if (!listening) refuseIfChanged(run, pictures);
    if (run.ports.interrupted() && listening && !asked) {
      asked = await link.send({ record: "withdraw", reason: "interrupted at the destination" });
    }
    if (clock.now() < stayUntil || pictures.some((p) => p.source.under === "token")) continue;
    if (run.ports.interrupted()) throw new TurnBack("interrupted", "interrupted");
    if (!link.duplex || !listening) throw new TurnBack("timeout", "the source did not commit in time");
  }
}

/** PREEMPT of the commit token on every LUN; the LUN decides the race with the source's way back. */
async function take(run: Run): Promise<Picture[]> {
  run.committed = true;
  await writeDown(run, "taking");
  tell(run, "take", run.method === "token" ? "PREEMPT token" : "PREEMPT key");
  const results = await everyLeg(run, (leg) => {
    const request = {
      action: "preempt",
      rk: destinationKey(leg.offer),
      sark: run.method === "token" ? leg.offer.commitToken : leg.offer.key,
      type: preemptType(leg.offer),
    } as const;
    return step(run, leg, leg.own[0]!, request, {
      done: isTaken,
      possible: (p) => p.source.under === (run.method === "token" ? "token" : "key") && p.destination.under !== "gone",
    });
  });
  // Both sides verify at the same time: the source has a unit attention to get past before it can read.
  if (results.every(({ result }) => result === "done")) await run.ports.link.send({ record: "taken" });
  const pictures = await lookAtAll(run);
  refuseIfLost(run, pictures);
  if (!pictures.every(isTaken)) throw new TurnBack("aborted", "the source took its key back first");
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
  if (underToken) {
    await writeDown(run, "settling");
    await everyLeg(run, async (leg) => {
      const { destinationToken, key } = leg.offer;
      if (destinationToken === null) return;
      tell(run, "settle", "REGISTER token -> key", leg);
      for (const own of leg.own) await rekey(run, leg, own, destinationToken, key);
    });
  }
  await run.ports.link.send({ record: "settled" });
  await writeDown(run, "closed", "moved");
  return { outcome: "moved", pictures: underToken ? await lookAtAll(run) : pictures };
}
