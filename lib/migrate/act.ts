/**
 * One PERSISTENT RESERVE OUT of the protocol, whose outcome is known when this returns: from the reply, or, where the
 * reply does not tell, from the LUN. Nothing is repeated before the LUN has been read.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { prOut, prOutCommand, type PrOutRequest } from "../pr/commands.ts";
import { describeCommand } from "../pr/describe.ts";
import type { PrState } from "../pr/types.ts";
import { classify, describeOutcome, type Outcome } from "../scsi/outcome.ts";
import type { Lun, Path } from "./lun.ts";
import type { Clock } from "./ports.ts";

/** One step: the command, what shows that it was carried out, what must be true for it to make sense. */
export interface Step {
  readonly lun: Lun;
  readonly path: Path;
  /** Reads the LUN, with all that {@link done} and {@link possible} need to judge it. */
  readonly observe: () => Promise<PrState>;
  readonly request: PrOutRequest;
  /** The state shows that the command was carried out. */
  readonly done: (state: PrState) => boolean;
  /** The state says that the command should succeed: a conflict met all the same was a mere race. */
  readonly possible: (state: PrState) => boolean;
  /** Never sent again: whoever asked for it has to judge more than this LUN first. Counts as a conflict then. */
  readonly once?: boolean;
}

/**
 * `conflict`: the LUN has decided otherwise, and `state` is what it decided.
 *
 * `by` tells what says so. `reply`: GOOD, or RESERVATION CONFLICT and a LUN that agrees. `lun`: no reply told, and the LUN
 * shows it; somebody else may have had a hand in that. `look`: the LUN looks as if the command had been carried out,
 * although it met a conflict.
 */
export type StepResult =
  | { readonly result: "done"; readonly by: "reply" | "lun" | "look" }
  | { readonly result: "conflict"; readonly by: "reply" | "lun"; readonly state: PrState };

const ATTEMPTS = 3;
/** Pause between two readings that must agree before an unanswered command counts as not carried out. */
const SETTLE_MS = 100;

/**
 * Carries out one step. Retries of unit attentions and BUSY belong to the nexus (lib/pr/patient.ts).
 *
 * Errors: PrmigError `failed` when the command was refused or never took effect, `unsure` when neither reply nor LUN tell.
 */
export async function act(step: Step, clock: Clock): Promise<StepResult> {
  let answer = "";
  let answered = true;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const outcome = await attemptOnce(step);
    answer = describeOutcome(outcome);
    if (outcome.kind === "good") return { result: "done", by: "reply" };
    if (outcome.kind === "refused") break;
    answered &&= outcome.kind !== "unknown";
    const state = await settledState(step, clock);
    if (step.done(state)) return { result: "done", by: answered ? "look" : "lun" };
    if (step.once || !step.possible(state)) return { result: "conflict", by: answered ? "reply" : "lun", state };
    await clock.sleep(SETTLE_MS * attempt);
  }
  throw new PrmigError("failed", {
    message: `Cannot ${inWords(step.request)} on ${step.lun.device}: ${answer}`,
    device: step.path.nexus.address,
    command: inWords(step.request),
    status: answer,
    lun: "this command changed nothing: the LUN was read after it",
    remedy: `prmig dump ${step.lun.device}`,
  });
}

async function attemptOnce(step: Step): Promise<Outcome> {
  try {
    return classify(await prOut(step.path.nexus, step.request));
  } catch (error) {
    // A system call that failed says nothing about a command that may have left before it did.
    if (error instanceof PrmigError) return { kind: "unknown", why: error.message, sense: null };
    throw error;
  }
}

/** A state read twice alike, since a command that timed out may still be carried out a moment later. */
async function settledState(step: Step, clock: Clock): Promise<PrState> {
  try {
    let before = await step.observe();
    for (let reading = 1;; reading++) {
      if (step.done(before)) return before;
      await clock.sleep(SETTLE_MS);
      const after = await step.observe();
      if (sameState(before, after) || reading === 5) return after;
      before = after;
    }
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    throw new PrmigError("unsure", {
      message: `Cannot tell whether ${inWords(step.request)} took effect on ${step.lun.device}: ${error.message}`,
      device: step.path.nexus.address,
      command: inWords(step.request),
      lun: "unknown: the command's outcome was not reported and the LUN cannot be read",
      remedy: "prmig recover",
    }, { cause: error });
  }
}

function sameState(a: PrState, b: PrState): boolean {
  const text = (state: PrState): string => JSON.stringify(state, (_, v) => typeof v === "bigint" ? v.toString(16) : v);
  return text(a) === text(b);
}

function inWords(request: PrOutRequest): string {
  const { cdb, data } = prOutCommand(request);
  return describeCommand(cdb, data);
}
