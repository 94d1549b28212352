/**
 * PREEMPT and PREEMPT AND ABORT. Pure. Source: SPC-4, "Preempting"; the common checks are made before.
 *
 *   reservation   SARK               what happens
 *   types 7, 8    0                  all    everybody else's registration goes, the sender holds
 *   types 7, 8    a key              remove registrations under SARK go
 *   other types   the holder's key   take   registrations under SARK go but the sender's, the sender holds
 *   other types   0                  05/26/00
 *   other, none   another key        remove
 *   any           nobody's key       RESERVATION CONFLICT
 *
 * No command of this LUN outlives its reply, so PREEMPT AND ABORT has nothing to abort.
 *
 * @module
 */
import type { BasicParameters } from "../pr_out.ts";
import { isPrType, type PrType } from "../types.ts";
import { ATTENTION, raise } from "./attention.ts";
import type { PrOutCommand } from "./command.ts";
import { isAllRegistrants, type LunModel, registrationOf, reservationFor } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";
import { check, conflict, good, type Outcome, refuse } from "./outcome.ts";
import { count, dropRegistrations, others, settleAllRegistrants } from "./registry.ts";
import { SENSE } from "./sense_code.ts";

type Case = "all" | "take" | "remove" | "invalid" | "unreservedZero";

/** Executes the action; `type` of the command is used in the cases all and take. */
export function preempt(model: LunModel, nexus: NexusId, command: PrOutCommand, { sark }: BasicParameters): Outcome {
  switch (caseOf(model, sark)) {
    case "invalid":
      return check(model, model.device.profile.preemptZeroHeld);
    case "unreservedZero": {
      const answer = model.device.profile.preemptZeroUnreserved;
      return answer === "good" ? good(count(model)) : refuse(model, answer);
    }
    case "remove":
      return remove(model, nexus, sark);
    case "all":
      return take(model, nexus, command, others(model, nexus));
    case "take":
      return take(model, nexus, command, under(model, sark).filter((each) => each !== nexus));
  }
}

function caseOf(model: LunModel, sark: bigint): Case {
  const { reservation } = model;
  if (reservation === null) return sark === 0n ? "unreservedZero" : "remove";
  if (isAllRegistrants(reservation.type)) {
    if (sark === 0n) return "all";
    if (!model.device.profile.allRegistrantsInternalHolder) return "remove";
  } else if (sark === 0n) return "invalid";
  return registrationOf(model, reservation.holder)?.key === sark ? "take" : "remove";
}

/** Only registrations go, the sender's own among them when its key is SARK (targets differ there). */
function remove(model: LunModel, nexus: NexusId, sark: bigint): Outcome {
  const { profile } = model.device;
  const matching = under(model, sark);
  const self = matching.includes(nexus);
  const keepsSelf = self && !profile.ownKeyPreemptRemovesSender[situation(model)];
  const doomed = keepsSelf ? matching.filter((each) => each !== nexus) : matching;
  if (matching.length === 0 || (doomed.length === 0 && profile.allRegistrantsInternalHolder)) return conflict(model);
  const told = doomed.filter((each) => each !== nexus);
  const left = settleAllRegistrants(dropRegistrations(model, doomed));
  return good(count(raise(left, told, profile.preemptedAttention)));
}

/** The reservation passes to the sender in the same instant in which the preempted registrations go. */
function take(model: LunModel, nexus: NexusId, { type, scope }: PrOutCommand, doomed: readonly NexusId[]): Outcome {
  const { profile } = model.device;
  if (scope !== 0 && profile.preemptChecksScope) return check(model, profile.badScope);
  if (!isPrType(type)) return check(model, SENSE.invalidFieldInCdb);
  const changed: PrType | null = model.reservation?.type === type ? null : type;
  const left = { ...dropRegistrations(model, doomed), reservation: reservationFor(model, type, nexus) };
  const preempted = raise(left, doomed, profile.preemptedAttention);
  const told = changed === null ? [] : others(preempted, nexus);
  return good(count(raise(preempted, told, ATTENTION.reservationsReleased)));
}

function situation(model: LunModel): "unreserved" | "heldUnderAnotherKey" | "allRegistrants" {
  if (model.reservation === null) return "unreserved";
  return isAllRegistrants(model.reservation.type) ? "allRegistrants" : "heldUnderAnotherKey";
}

function under(model: LunModel, key: bigint): NexusId[] {
  return model.registrations.filter((registration) => registration.key === key).map(({ nexus }) => nexus);
}
