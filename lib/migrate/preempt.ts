/**
 * Preempts one key with one PERSISTENT RESERVE OUT, and knows from the LUN what came of it.
 *
 *     read -> plan (or refuse) -> PREEMPT, once -> read -> verdict
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { prOut, prOutCommand, type PrOutRequest } from "../pr/commands.ts";
import { describeCommand } from "../pr/describe.ts";
import type { Nexus } from "../pr/nexus.ts";
import { readState } from "../pr/read_state.ts";
import type { PrState, Registration } from "../pr/types.ts";
import { classify, describeOutcome, type Outcome } from "../scsi/outcome.ts";
import { isPreempted, planPreempt, type PreemptPlan, type PreemptRequest, stateInWords } from "./preempt_step.ts";

/** What is needed besides the LUN. */
export interface PreemptPorts {
  readonly nexus: Nexus;
  /** Is a registration that of this nexus? Null where it cannot be told. */
  readonly isOwn: (registration: Registration) => boolean | null;
  readonly sleep: (ms: number) => Promise<void>;
}

/** What happened, and the LUN after it. */
export interface Preempted {
  readonly plan: PreemptPlan;
  readonly before: PrState;
  readonly after: PrState;
}

/** How often, and how far apart in milliseconds, the LUN is read after a command nobody answered. */
const READINGS = 5;
const READING_MS = 200;

/**
 * Preempts. The nexus should be a patient one.
 *
 * Errors: PrmigError `refused` (nothing was sent, or the LUN was faster), `failed` (not carried out), `unsure` (neither
 * the reply nor the LUN tells).
 */
export async function preempt(request: PreemptRequest, ports: PreemptPorts): Promise<Preempted> {
  const before = await readState(ports.nexus);
  const plan = planPreempt(request, before, before.registrations.map(ports.isOwn));
  const command: PrOutRequest = { action: "preempt", rk: plan.rk, sark: plan.sark, type: plan.type };
  const outcome = await sendOnce(ports.nexus, command);
  const after = await readAfter(request, plan, command, outcome, ports);
  // Any other outcome says that the command was not carried out, whatever the LUN has come to look like.
  const mayBeDone = outcome.kind === "good" || outcome.kind === "unknown";
  if (mayBeDone && isPreempted(plan, after)) return { plan, before, after };
  throw notDone(request, command, outcome, after);
}

async function sendOnce(nexus: Nexus, command: PrOutRequest): Promise<Outcome> {
  try {
    return classify(await prOut(nexus, command));
  } catch (error) {
    // Only `unsure` means that the command may have left; any other failure is told as it is.
    if (error instanceof PrmigError && error.kind === "unsure") {
      return { kind: "unknown", why: error.message, sense: null };
    }
    throw error;
  }
}

/** The LUN after the command. When nobody answered, long enough for a late command to show. */
async function readAfter(
  request: PreemptRequest,
  plan: PreemptPlan,
  command: PrOutRequest,
  outcome: Outcome,
  { nexus, sleep }: PreemptPorts,
): Promise<PrState> {
  try {
    let state = await readState(nexus);
    for (let left = READINGS; outcome.kind === "unknown" && left > 1 && !isPreempted(plan, state); left--) {
      await sleep(READING_MS);
      state = await readState(nexus);
    }
    return state;
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    const sent = outcome.kind === "good" ? "was carried out" : "may have been carried out";
    throw new PrmigError("unsure", {
      message: `Cannot read ${request.device} after the PREEMPT: ${error.message}`,
      device: request.device,
      command: inWords(command),
      status: describeOutcome(outcome),
      lun: `not known: the command ${sent}`,
      remedy: `prmig dump ${request.device}`,
    }, { cause: error });
  }
}

function notDone(request: PreemptRequest, command: PrOutRequest, outcome: Outcome, after: PrState): PrmigError {
  const { device } = request;
  const facts = {
    device,
    command: inWords(command),
    status: describeOutcome(outcome),
    lun: `read after the command: ${stateInWords(after)}`,
    remedy: `prmig dump ${device}`,
  };
  const failed = (kind: "refused" | "failed" | "device", why: string): PrmigError =>
    new PrmigError(kind, { message: `Cannot preempt on ${device}: ${why}`, ...facts });
  switch (outcome.kind) {
    case "good":
      return failed("refused", "it was carried out, but somebody has changed the LUN since");
    case "conflict":
      return failed("refused", "RESERVATION CONFLICT: this nexus is not, or no longer, registered under that key");
    case "refused":
      return failed("device", `the device refuses the command: ${facts.status}`);
    default:
      return failed("failed", `the command did not take effect: ${facts.status}`);
  }
}

function inWords(command: PrOutRequest): string {
  const { cdb, data } = prOutCommand(command);
  return describeCommand(cdb, data);
}
