/**
 * The report of a hand-over that did not happen: why, what is true of the LUNs now, what to do.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { isSourceIntact, isUnderToken } from "./picture.ts";
import { TurnBack } from "./reasons.ts";
import type { Ending, Run } from "./run.ts";
import { truthOf } from "./truth.ts";

/** The source's report, once it has gone back. Never returns. */
export function reportSource(run: Run, reason: TurnBack, ending: Ending): never {
  const intact = ending.outcome === "restored" && ending.pictures.every(isSourceIntact);
  const kind = ending.outcome === "fenced" || ending.outcome === "dropped"
    ? "refused"
    : intact
    ? reason.kind
    : "unsure";
  throw failure(run, kind, "hand over", reason, ending);
}

/** The destination's report, once it has left. Never returns. */
export function reportDestination(run: Run, reason: TurnBack | PrmigError, ending: Ending): never {
  const { outcome, pictures } = ending;
  const undecided = outcome === "nothing" && pictures.some(isUnderToken);
  const kind = outcome === "fenced" || outcome === "dropped"
    ? "refused"
    : undecided
    ? "unsure"
    : reason.kind === "unsure"
    ? "failed"
    : reason.kind;
  throw failure(run, kind, "take over", reason, ending);
}

/** The report of a way back, or out, that met with trouble which stayed. */
export function unfinished(run: Run, error: PrmigError): PrmigError {
  const devices = run.legs.map((leg) => leg.lun.device).join(", ");
  const what = run.role === "source" ? "take back" : "finish or leave";
  return new PrmigError("unsure", {
    ...error.facts,
    message: `Cannot ${what} ${devices}: ${error.message}`,
    device: error.facts.device ?? devices,
    lun: "not known in full: this host may stand under a one-time key (prmg...); nobody else can reserve the LUN",
    remedy: "prmig recover, once the cause is gone",
  }, { cause: error });
}

function failure(
  run: Run,
  kind: PrmigError["kind"],
  what: string,
  reason: TurnBack | PrmigError,
  { outcome, pictures }: Ending,
): PrmigError {
  const devices = run.legs.map((leg) => leg.lun.device).join(", ");
  const cause = reason instanceof PrmigError ? reason : reason.cause;
  const facts = cause instanceof PrmigError ? cause.facts : undefined;
  const state = outcome === "fenced"
    ? "the guest stays fenced: "
    : outcome === "dropped"
    ? "as the guest left it: "
    : kind === "unsure" || pictures.some(({ source }) => source.under === "gone")
    ? ""
    : "as before: ";
  const seen = pictures.length === 0 ? "nothing was sent" : pictures.map(truthOf).join(" | ");
  return new PrmigError(kind, {
    message: `Cannot ${what} ${devices}: ${reason.message}`,
    device: facts?.device ?? devices,
    ...facts?.command && { command: facts.command },
    ...facts?.status && { status: facts.status },
    lun: state + seen,
    remedy: kind === "unsure" ? unsureRemedy(run) : remedy(run, reason, outcome),
  }, { cause: reason });
}

function unsureRemedy({ role }: Run): string {
  return role === "source"
    ? "prmig recover"
    : "prmig recover on the source; nothing of this host is on the LUN any more";
}

function remedy(run: Run, reason: TurnBack | PrmigError, outcome: Ending["outcome"]): string {
  const device = run.legs[0]!.lun.device;
  if (outcome === "fenced") {
    return `find out who fenced this guest, and why, before it runs again: prmig dump ${device}`;
  }
  if (outcome === "dropped") return `there is nothing left to hand over; what the LUN shows: prmig dump ${device}`;
  if (reason instanceof PrmigError) return reason.facts.remedy;
  const other = run.role === "source" ? "recv on the destination" : "send on the source";
  if (reason.why === "timeout") return `see what ${other} says, then try again; --timeout 2m waits longer`;
  if (reason.why === "interrupted") return "start the hand-over again when you are ready";
  if (reason.why === "refused" && run.role === "destination") return `compare with the offer: prmig dump ${device}`;
  return `see what ${other} says, then try again`;
}
