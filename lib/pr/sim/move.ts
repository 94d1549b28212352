/**
 * REGISTER AND MOVE. Pure. Source: SPC-4, "Registering and moving the reservation"; the common checks are made before.
 *
 * @module
 */
import type { MoveParameters } from "../pr_out.ts";
import { isAllRegistrants, isHolder, type LunModel } from "./model.ts";
import { initiatorOf, initiatorOfTransportId, type NexusId, throughPort } from "./nexus_id.ts";
import { check, good, type Outcome, type Refusal, refuse } from "./outcome.ts";
import { count, dropRegistrations, putRegistration, setAptpl } from "./registry.ts";
import { SENSE } from "./sense_code.ts";

/** Gives the sender's reservation to another nexus, without a gap and without a unit attention for anybody. */
export function registerAndMove(model: LunModel, nexus: NexusId, list: MoveParameters): Outcome {
  const { profile, maxRegistrations } = model.device;
  const { reservation } = model;
  const destination = destinationOf(model, nexus, list);
  const ofList = destination === null ? SENSE.invalidFieldInList : null;
  const ofReservation = reservationRefusal(model, nexus);
  const refusal = profile.moveReadsListFirst ? ofList ?? ofReservation : ofReservation ?? ofList;
  if (refusal !== null || destination === null || reservation === null) {
    return refuse(model, refusal ?? SENSE.invalidFieldInCdb);
  }
  const given = putRegistration(model, { nexus: destination, key: list.sark, allTgPt: false });
  const left = list.unreg ? dropRegistrations(given, [nexus]) : given;
  if (left.registrations.length > maxRegistrations) return check(model, SENSE.insufficientRegistrations);
  const moved = { ...left, reservation: { ...reservation, holder: destination } };
  return good(setAptpl(count(moved), list.aptpl));
}

function reservationRefusal(model: LunModel, nexus: NexusId): Refusal | null {
  if (model.reservation === null) return SENSE.invalidFieldInCdb;
  return !isHolder(model, nexus) || isAllRegistrants(model.reservation.type) ? "conflict" : null;
}

/** The nexus the list names; `null` when it names the sender, nobody we know, a port that is not there, or no key. */
function destinationOf(model: LunModel, nexus: NexusId, list: MoveParameters): NexusId | null {
  const initiator = initiatorOfTransportId(list.transportId);
  if (list.sark === 0n || initiator === null || initiator === initiatorOf(nexus)) return null;
  if (!model.device.ports.includes(list.relativeTargetPort)) return null;
  return throughPort(initiator, list.relativeTargetPort);
}
