/**
 * Steps of scenarios in words, for reports. Pure.
 *
 * @module
 */
import { PR_OUT_ACTION, prInActionName, prOutActionName } from "../pr/cdb.ts";
import { type Act, keyName, type OutRequest, type Step } from "./scenario.ts";

const EVENT_WORDS = {
  powerCycle: "power off and on",
  reset: "LOGICAL UNIT RESET",
  nexusLoss: "I_T nexus lost and back",
  loseInformation: "the device loses its reservation data",
} as const;

/** "B: PREEMPT RK=K2 SARK=K1 type 5", "state", "A: power off and on". */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "command":
      return `${step.by}: ${describeAct(step.act)}${step.trouble === null ? "" : ` [${step.trouble}]`}`;
    case "state":
      return "state";
    case "event":
      return step.of === null ? EVENT_WORDS[step.event] : `${step.of}: ${EVENT_WORDS[step.event]}`;
  }
}

function describeAct(act: Act): string {
  switch (act.kind) {
    case "out":
      return describeOut(act.request);
    case "in":
      return `${prInActionName(act.action)}, room for ${act.allocationLength} bytes`;
    case "ordinary":
      return act.name;
    case "raw":
      return `bytes ${act.cdb}`;
  }
}

/** Actions whose SCOPE and TYPE mean something. */
const TYPED: readonly number[] = [
  PR_OUT_ACTION.reserve,
  PR_OUT_ACTION.release,
  PR_OUT_ACTION.preempt,
  PR_OUT_ACTION.preemptAndAbort,
  PR_OUT_ACTION.replaceLost,
];

function describeOut({ action, rk = 0n, sark, scope, type, aptpl, naming, to, unreg }: OutRequest): string {
  const words = [prOutActionName(action), `RK=${keyName(rk)}`];
  if (sark !== undefined) words.push(`SARK=${keyName(sark)}`);
  if (TYPED.includes(action)) words.push(`type ${type ?? 0}`);
  if (scope) words.push(`scope ${scope}`);
  if (aptpl) words.push("APTPL");
  if (naming) words.push(`for ${naming.join(" and ")} too`);
  if (to) words.push(`to ${to}`);
  if (unreg) words.push("UNREG");
  return words.join(" ");
}
