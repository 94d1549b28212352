/**
 * A hand-over in progress on one side: its LUNs and offers side by side, how they look, what is written down.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { act, type Step, type StepResult } from "./act.ts";
import type { DestinationPhase, Outcome, SourcePhase } from "./journal_entry.ts";
import type { Method } from "./messages.ts";
import { type Lun, observe, type Path, pathName } from "./lun.ts";
import { namesAreKnown, type NexusName, type Offer } from "./offer.ts";
import { isUnderToken, type Picture, pictureOf } from "./picture.ts";
import type { Ports } from "./ports.ts";
import { keyIsOf, type KeyProof, observeWithProof } from "./proof.ts";
import type { PrOutRequest } from "../pr/commands.ts";
import type { PrState } from "../pr/types.ts";
import type { Shown } from "./shown.ts";

/** A path of ours that takes part, and the name the LUN knows it by. */
export interface OwnPath {
  readonly path: Path;
  /** `null` on a target that hides names, where one path alone can take part. */
  readonly name: NexusName | null;
}

/** All paths of a LUN, by the names that the LUN of this offer knows them by. */
export function pathsIn(offer: Offer, { paths }: Lun): OwnPath[] {
  return paths.map((path) => ({ path, name: namesAreKnown(offer) ? pathName(path) : null }));
}

/** One LUN of a hand-over. */
export interface Leg {
  readonly lun: Lun;
  /** Our paths that take part; the first one decides races. */
  readonly own: readonly OwnPath[];
  /** Replaced, never edited, when the guest re-keys itself while the destination is prepared. */
  offer: Offer;
  /** Keys of the guest before it re-keyed itself, while the destination may still stand under one of them. */
  formerKeys?: readonly bigint[];
  /** Source: the key under which it was last known to stand; absent when one of its REGISTERs went unanswered. See taken.ts. */
  sourceWas?: "key" | "token";
  /** Source: one of its REGISTERs went unanswered, and may come late: that it was seen under its key proves nothing. */
  unanswered?: boolean;
  /** Source: the destination's nexuses before the commit. Destination: the first of its own. See witness.ts. */
  witnesses?: readonly NexusName[];
  /** Destination: its own nexuses, once it registers them; absent where host or target hides names. */
  mine?: readonly NexusName[];
  /**
   * Destination: its PREEMPT was answered GOOD. False: it was refused, and what the LUN shows is another's doing. Absent: one
   * went unanswered, or a process that has ended may have sent it.
   */
  took?: boolean;
  /** The source has stepped aside to its token to evict the destination, or may have; or it knows that it did evict it. */
  aside?: "evicting" | "evicted";
  /** The LUN as it was when a person was asked, by a process that has ended, whether the guest was fenced. */
  asked?: Shown;
  /** The LUN as it is now that a person is to be asked. */
  showing?: Shown;
  /** Source: the paths that stood under its key when it began to register the others again. None brings those back. */
  standing?: readonly NexusName[];
  /** Where the target hides names: whose the guest's key was found to be. See proof.ts. */
  keyProof?: KeyProof;
  /** The source has restored its key, or may have, and has not looked yet whether the witness of its being unfenced is there. */
  unwitnessed?: boolean;
}

/** One side's hand-over. */
export interface Run {
  readonly handOver: string;
  readonly role: "source" | "destination";
  readonly method: Method;
  readonly legs: readonly Leg[];
  readonly ports: Ports;
  /** See {@link import("./messages.ts").Hello.windowMs}. */
  readonly windowMs: number;
  /** Bounds every wait for the other side. */
  readonly timeoutMs: number;
  /**
   * Source: the commit may have begun. Destination: the take may have begun. Only then does a LUN that shows the
   * destination alone mean that the destination took it, and not that the source was fenced.
   */
  committed: boolean;
}

/**
 * True when the destination takes as soon as it is registered: by the plain method the LUN has no sign for it to wait for,
 * and a one-way pipe has no word.
 */
export function takesUnasked({ method, ports }: Pick<Run, "method" | "ports">): boolean {
  return method === "plain" && !ports.link.duplex;
}

/** How a hand-over ended, with the LUNs as last read. */
export interface Ending {
  readonly outcome: Outcome;
  readonly pictures: readonly Picture[];
}

/** Reads one LUN in the light of its offer. */
export async function look(run: Run, leg: Leg): Promise<Picture> {
  return judge(leg, await observeWithProof(run, leg));
}

/** Reads one LUN of a hand-over that is not ours, by reading alone. */
export async function lookOn(leg: Leg): Promise<Picture> {
  return judge(leg, await observe(leg.lun));
}

/** What was read before, in the light of an offer that has changed since. */
export function seenAnew(leg: Leg, { state }: Picture): Picture {
  return judge(leg, state);
}

function judge(leg: Leg, state: PrState): Picture {
  return note(leg, pictureOf(leg.offer, state, leg.formerKeys, keyIsOf(leg, state), leg.mine));
}

/** Remembers what a picture tells for the time when the source will be gone. */
function note(leg: Leg, picture: Picture): Picture {
  if (picture.source.under === "key") leg.sourceWas = "key";
  else if (isUnderToken(picture)) leg.sourceWas = "token";
  return picture;
}

/** Reads every LUN, all at once. */
export function lookAtAll(run: Run): Promise<Picture[]> {
  return everyLeg(run, (leg) => look(run, leg));
}

/** Reads every LUN for a report; what was seen before stands where one cannot be read. */
export async function lookAgain(run: Run, before: readonly Picture[]): Promise<readonly Picture[]> {
  try {
    return await lookAtAll(run);
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    tell(run, "look", error.message);
    return before;
  }
}

/** Does one thing on every LUN at once and waits for all of them, so that no command is under way when one has failed. */
export async function everyLeg<T>(run: Run, work: (leg: Leg) => Promise<T>): Promise<T[]> {
  const results = await Promise.allSettled(run.legs.map(work));
  const failed = results.flatMap((r) => r.status === "rejected" ? [r.reason] : []);
  // The worst first: an outcome nobody knows outweighs a failure that is understood.
  const worst = failed.find((e) => e instanceof PrmigError && e.kind === "unsure") ?? failed[0];
  if (worst !== undefined) throw worst;
  return results.map((r) => (r as PromiseFulfilledResult<T>).value);
}

/** When a command counts as carried out, when it still makes sense; see {@link Step}. */
export interface Judge {
  readonly done: (picture: Picture) => boolean;
  readonly possible: (picture: Picture) => boolean;
  readonly once?: boolean;
}

/** One command of the protocol on one path, judged by the picture of its LUN. */
export function step(
  run: Run,
  leg: Leg,
  own: OwnPath,
  request: PrOutRequest,
  { done, possible, once = false }: Judge,
): Promise<StepResult> {
  const of = (test: (picture: Picture) => boolean): Step["done"] => (state) => test(judge(leg, state));
  const { lun } = leg;
  const observe = (): Promise<PrState> => observeWithProof(run, leg);
  return act({ lun, path: own.path, observe, request, done: of(done), possible: of(possible), once }, run.ports.clock);
}

/** Writes down what is about to be done. */
export async function writeDown(run: Run, phase: SourcePhase | DestinationPhase, outcome?: Outcome): Promise<void> {
  const luns = run.legs.map((
    { lun: { device }, offer, witnesses, standing, formerKeys, aside, asked, showing = asked },
  ) => ({
    device,
    offer,
    ...witnesses && { witnesses },
    ...standing && { standing },
    ...formerKeys && { formerKeys },
    ...aside && { aside },
    ...showing && { asked: showing },
  }));
  const { handOver, role, method, windowMs, committed } = run;
  await run.ports.journal.write({
    prmig: 1,
    handOver,
    role,
    method,
    phase,
    luns,
    windowMs,
    committed,
    ...outcome && { outcome },
  });
}

/**
 * Writes down what needs no journal to be safe: that a side turns back or closes, which the LUN tells as well. A disk that
 * is full then must not keep a source from its key, or a move that is done from being reported.
 */
export async function writeDownIfPossible(
  run: Run,
  phase: SourcePhase | DestinationPhase,
  outcome?: Outcome,
): Promise<void> {
  try {
    await writeDown(run, phase, outcome);
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    tell(run, "journal", `${error.message}; going on without: prmig recover will close it`);
  }
}

/** Tells people. */
export function tell(run: Run, phase: string, text: string, leg?: Leg): void {
  run.ports.report({ phase, text, ...leg && { device: leg.lun.device } });
}
