/**
 * PERSISTENT RESERVE OUT: the checks common to all service actions, in the order of the target's profile, and then the
 * action itself. A refused command changes nothing. Pure. Source: SPC-4, "PERSISTENT RESERVE OUT command".
 *
 * @module
 */
import { PR_OUT_ACTION } from "../cdb.ts";
import type { BasicParameters, MoveParameters } from "../pr_out.ts";
import { isPrType } from "../types.ts";
import type { PrOutCommand } from "./command.ts";
import { type LunModel, registrationOf } from "./model.ts";
import { registerAndMove } from "./move.ts";
import type { NexusId } from "./nexus_id.ts";
import { check, type Outcome, type Refusal, refuse } from "./outcome.ts";
import { preempt } from "./preempt.ts";
import type { PrOutCheck } from "./profile_type.ts";
import { register } from "./register.ts";
import { clear, release, replaceLost, reserve } from "./reserve.ts";
import { SENSE } from "./sense_code.ts";

const A = PR_OUT_ACTION;
/** Actions an unregistered nexus may send. */
const OPEN_TO_STRANGERS: readonly number[] = [A.register, A.registerAndIgnore, A.replaceLost];
/** Actions that set APTPL. */
const REGISTER_TYPE: readonly number[] = [A.register, A.registerAndIgnore, A.registerAndMove, A.replaceLost];

/** Executes a PERSISTENT RESERVE OUT; unit attentions and SPC-2 reservations were seen to before. */
export function prOut(model: LunModel, nexus: NexusId, command: PrOutCommand): Outcome {
  for (const name of model.device.profile.checks) {
    const refusal = CHECKS[name](model, nexus, command);
    if (refusal !== null) return refuse(model, refusal);
  }
  const { parameters: list } = command;
  if (list.kind === "unreadable") return check(model, SENSE.invalidFieldInList);
  if (list.kind === "move") return registerAndMove(model, nexus, list);
  return act(model, nexus, command, list);
}

function act(model: LunModel, nexus: NexusId, command: PrOutCommand, list: BasicParameters): Outcome {
  switch (command.action) {
    case A.register:
      return register(model, nexus, list, false);
    case A.registerAndIgnore:
      return register(model, nexus, list, true);
    case A.reserve:
      return reserve(model, nexus, command);
    case A.release:
      return release(model, nexus, command, list);
    case A.clear:
      return clear(model, nexus);
    case A.preempt:
    case A.preemptAndAbort:
      return preempt(model, nexus, command, list);
    case A.replaceLost:
      return replaceLost(model, nexus, command, list);
    default:
      return check(model, SENSE.invalidFieldInCdb);
  }
}

type Check = (model: LunModel, nexus: NexusId, command: PrOutCommand) => Refusal | null;

const CHECKS: Readonly<Record<PrOutCheck, Check>> = {
  reservedByAnother,
  serviceAction,
  listLength,
  registered,
  key,
  flags,
  type,
  scope,
};

/** LIO asks its access rules first; they know registrants-only types, and not much else. */
function reservedByAnother(model: LunModel, nexus: NexusId, { action }: PrOutCommand): Refusal | null {
  const { reservation } = model;
  if (reservation === null || reservation.holder === nexus) return null;
  if (action === A.register || action === A.registerAndIgnore) return null;
  if (registrationOf(model, nexus) === undefined) return "conflict";
  if (reservation.type >= 5) return action > A.registerAndMove ? "conflict" : null;
  return action === A.reserve || action >= A.registerAndMove ? "conflict" : null;
}

function serviceAction({ device: { profile } }: LunModel, _nexus: NexusId, { action }: PrOutCommand): Refusal | null {
  const known = action <= A.replaceLost &&
    (action !== A.preemptAndAbort || profile.preemptAndAbort) &&
    (action !== A.registerAndMove || profile.registerAndMove) &&
    (action !== A.replaceLost || profile.replaceLost);
  return known ? null : SENSE.invalidFieldInCdb;
}

function listLength({ device: { profile } }: LunModel, _nexus: NexusId, { parameters }: PrOutCommand): Refusal | null {
  if (parameters.kind !== "unreadable") return null;
  switch (parameters.fault) {
    case "length":
      return profile.badListLength;
    case "idLength":
      return profile.badIdListLength;
    case "transportId":
      return SENSE.invalidFieldInList;
  }
}

function registered(model: LunModel, nexus: NexusId, { action }: PrOutCommand): Refusal | null {
  if (OPEN_TO_STRANGERS.includes(action) || registrationOf(model, nexus) !== undefined) return null;
  if (model.reservation !== null || isPreempt(action)) return "conflict";
  return model.device.profile.unregisteredUnreserved ?? "conflict";
}

function key(model: LunModel, nexus: NexusId, { action, parameters }: PrOutCommand): Refusal | null {
  if (parameters.kind === "unreadable" || action === A.registerAndIgnore || action === A.replaceLost) return null;
  if (action === A.reserve && !model.device.profile.reserveChecksKey) return null;
  if (action === A.release) return null; // targets differ in when they look: release() sees to it
  return (registrationOf(model, nexus)?.key ?? 0n) === parameters.rk ? null : "conflict";
}

function flags({ device: { profile } }: LunModel, _nexus: NexusId, command: PrOutCommand): Refusal | null {
  const { action, parameters: list } = command;
  if (list.kind === "unreadable") return null;
  if (list.kind === "basic") {
    if (list.specIPt !== null && action !== A.register) return SENSE.invalidFieldInList;
    if (list.specIPt !== null && !profile.specifyInitiatorPorts) return profile.unsupportedFlag;
    if (list.allTgPt && action === A.replaceLost) return SENSE.invalidFieldInList;
    const allTgPtCounts = action === A.register || action === A.registerAndIgnore;
    if (list.allTgPt && allTgPtCounts && !profile.allTargetPorts) return profile.unsupportedFlag;
  }
  const aptplCounts = setsAptpl(action, list) || (list.aptpl && profile.refusesIgnoredFlags);
  return aptplCounts && !profile.ptpl ? profile.unsupportedFlag : null;
}

function setsAptpl(action: number, list: BasicParameters | MoveParameters): boolean {
  return list.aptpl && REGISTER_TYPE.includes(action);
}

/** TYPE of a RELEASE is compared, of a PREEMPT often ignored: those actions judge it themselves. */
function type({ device: { profile } }: LunModel, _nexus: NexusId, command: PrOutCommand): Refusal | null {
  const used = command.action === A.reserve || command.action === A.replaceLost ||
    (profile.preemptValidatesType === "always" && isPreempt(command.action));
  return used && !isPrType(command.type) ? SENSE.invalidFieldInCdb : null;
}

function scope({ device: { profile } }: LunModel, _nexus: NexusId, command: PrOutCommand): Refusal | null {
  const used = command.action === A.reserve || command.action === A.replaceLost ||
    (profile.preemptValidatesType === "always" && isPreempt(command.action));
  return used && command.scope !== 0 ? profile.badScope : null;
}

function isPreempt(action: number): boolean {
  return action === A.preempt || action === A.preemptAndAbort;
}
