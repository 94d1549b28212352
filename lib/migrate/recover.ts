/**
 * Finishes or undoes a hand-over whose process has ended: from the journal and the LUN, on either host, in any order,
 * any number of times. The same steps as a hand-over that goes on or turns back; only their beginning is another.
 *
 *   source        the destination holds everything: close, `moved`; otherwise go back (go_back.ts): `restored`, `fenced`
 *   destination   we hold everything: settle, `moved`; the source stands under its token everywhere: take, `moved`;
 *                 otherwise, after its right to commit has surely ended: take as well, where it was stopped evicting us and
 *                 does not go on; else leave (leave.ts)
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { settle, takeAll } from "./destination.ts";
import { adoptAside, catchUp } from "./follow.ts";
import { goBack, type GoBackOptions, LEAVE_GRACE_MS } from "./go_back.ts";
import type { JournalEntry } from "./journal_entry.ts";
import { leave } from "./leave.ts";
import { stayMs } from "./lease.ts";
import type { Lun } from "./lun.ts";
import type { Offer } from "./offer.ts";
import { isAside, isCommitted, type Picture } from "./picture.ts";
import type { Ports } from "./ports.ts";
import { TurnBack } from "./reasons.ts";
import {
  type Ending,
  type Leg,
  lookAtAll,
  type OwnPath,
  pathsIn,
  type Run,
  seenAnew,
  tell,
  writeDownIfPossible,
} from "./run.ts";
import { allTaken } from "./taken.ts";
import { hasWitness, namesOf } from "./witness.ts";

/** How to recover. */
export interface RecoverOptions extends GoBackOptions {
  /** Bounds every wait for the other side. */
  readonly timeoutMs: number;
  /**
   * Milliseconds since the journal's process surely did nothing more, on a clock that cannot be set: what is missing to
   * the end of the source's right to commit is waited for.
   */
  readonly endedMsAgo: number;
}

/** The run that a journal entry tells of, with its LUNs open again. */
export function resumeRun(entry: JournalEntry, luns: readonly Lun[], ports: Ports, timeoutMs: number): Run {
  const { handOver, role, method, windowMs, committed } = entry;
  const legs = entry.luns.map(({ offer, witnesses, standing, formerKeys, aside, asked }, i): Leg => {
    const lun = luns[i]!;
    const own = ownPaths(entry, lun, offer);
    // The process that has ended may have left a command behind that nobody waits for.
    const unanswered = committed && role === "source" && { unanswered: true };
    const mine = role === "destination" ? namesOf(own, witnesses) : undefined;
    return {
      lun,
      offer,
      own,
      ...unanswered,
      ...mine && { mine },
      ...witnesses && { witnesses },
      ...standing && { standing },
      ...formerKeys && { formerKeys },
      ...aside && { aside },
      ...asked && { asked },
    };
  });
  return { handOver, role, method, legs, ports, windowMs, timeoutMs, committed };
}

/** A source's paths are those of the offer; a destination uses all it has. */
function ownPaths({ role }: JournalEntry, lun: Lun, offer: Offer): OwnPath[] {
  const { source } = offer;
  const all = pathsIn(offer, lun);
  if (role === "destination") return all;
  if (all.length === 1) return [{ path: all[0]!.path, name: source[0] ?? null }];
  const ordered = source.map((name) => all.find((own) => own.name === name));
  return ordered.filter((own) => own !== undefined);
}

/** Recovers one side. Errors: PrmigError, `unsure` when the other side has to act first or a LUN cannot be read. */
export async function recover(run: Run, options: RecoverOptions): Promise<Ending> {
  return run.role === "source" ? await recoverSource(run, options) : await recoverDestination(run, options);
}

async function recoverSource(run: Run, options: RecoverOptions): Promise<Ending> {
  refuseStrangers(run);
  const ending = await goBackOrStay(run, options);
  if (ending.outcome !== "moved") return ending;
  tell(run, "recover", "the LUN shows that the destination holds");
  await writeDownIfPossible(run, "closed", "moved");
  return ending;
}

/** A roll back of a finished hand-over that is refused leaves it as it was. */
async function goBackOrStay(run: Run, options: RecoverOptions): Promise<Ending> {
  try {
    return await goBack(run, new TurnBack("failed", "recovering an interrupted hand-over"), options);
  } catch (error) {
    const isOver = options.evenIfTaken && !run.legs.some((leg) => leg.aside);
    if (isOver && error instanceof PrmigError && error.kind === "refused") {
      await writeDownIfPossible(run, "closed", "moved");
    }
    throw error;
  }
}

async function recoverDestination(run: Run, { endedMsAgo }: RecoverOptions): Promise<Ending> {
  for (const leg of run.legs) await catchUpIfPossible(run, leg);
  const pictures = await lookAtAll(run);
  if (allTaken(run, pictures)) return await settle(run, pictures);
  const taken = await takeIfCommitted(run, pictures);
  if (taken !== null) return taken;
  const missing = stayMs(run) - endedMsAgo;
  if (missing > 0 && pictures.some((p) => p.destination.under !== "gone")) {
    tell(run, "recover", `waiting ${Math.ceil(missing / 1000)} s: the source may still commit`);
    await run.ports.clock.sleep(missing);
  }
  const takenFromAside = await takeFromAside(run);
  if (takenFromAside !== null) return takenFromAside;
  const ending = await leave(run, { released: false, stayUntil: 0 });
  return ending.outcome === "moved" ? await settle(run, ending.pictures) : ending;
}

/** Takes where the source stands under its token on every LUN; `null` where it does not, or was faster. */
async function takeIfCommitted(run: Run, pictures: readonly Picture[]): Promise<Ending | null> {
  if (!pictures.every((picture, i) => isCommitted(picture) && hasWitness(run.legs[i]!, picture))) return null;
  try {
    return await takeAll(run);
  } catch (error) {
    // The LUN has decided, and leaving reads it.
    if (!(error instanceof TurnBack)) throw error;
    return null;
  }
}

/**
 * A source that was stopped while it stood aside to evict us, and never comes back, must not keep us from recovering: we
 * take from under the key that it stepped to. One that is at work ends that within a moment, and is given the time.
 */
async function takeFromAside(run: Run): Promise<Ending | null> {
  const before = await lookAtAll(run);
  const mayTake = (picture: Picture): boolean => isCommitted(picture) || isAside(picture);
  if (!before.some(isAside) || !before.every(mayTake)) return null;
  tell(run, "recover", "the source was evicting this host; if it is still at work it ends that in a moment");
  await run.ports.clock.sleep(LEAVE_GRACE_MS);
  const pictures = await lookAtAll(run);
  const isStill = (picture: Picture, i: number): boolean => picture.state.generation === before[i]!.state.generation;
  if (!pictures.every(mayTake) || !pictures.every(isStill)) return null;
  run.legs.forEach((leg, i) => isAside(pictures[i]!) && adoptAside(leg, pictures[i]!));
  return await takeIfCommitted(run, run.legs.map((leg, i) => seenAnew(leg, pictures[i]!)));
}

/** Follows the guest to its new key, unless the source has evicted us under the old one meanwhile: the LUN shows it then. */
async function catchUpIfPossible(run: Run, leg: Leg): Promise<void> {
  try {
    await catchUp(run, leg);
  } catch (error) {
    if (!(error instanceof TurnBack)) throw error;
    tell(run, "follow", error.message, leg);
  }
}

/** A LUN on which none of the offer's nexuses is ours any more: another host, or another HBA. */
function refuseStrangers(run: Run): void {
  for (const { lun, own } of run.legs) {
    if (own.length > 0) continue;
    throw new PrmigError("refused", {
      message: `Cannot recover ${lun.device}: none of its paths is the nexus that made the offer`,
      device: lun.device,
      lun: "unchanged by this",
      remedy: "run prmig recover on the host, and through the HBA, that began the hand-over",
    });
  }
}
