/**
 * RESERVE, RELEASE, CLEAR and REPLACE LOST RESERVATION. Pure.
 * Source: SPC-4, "Reserving", "Releasing", "Clearing", "Replacing Lost Reservations"; the common checks are made before.
 *
 * @module
 */
import type { BasicParameters } from "../pr_out.ts";
import { isPrType } from "../types.ts";
import { ATTENTION, raise } from "./attention.ts";
import type { PrOutCommand } from "./command.ts";
import { isHolder, type LunModel, registrationOf, reservationFor } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";
import { check, conflict, good, type Outcome, refuse } from "./outcome.ts";
import { count, others, setAptpl } from "./registry.ts";
import { SENSE } from "./sense_code.ts";

/** RESERVE: makes a reservation, or confirms the very one the sender holds. */
export function reserve(model: LunModel, nexus: NexusId, { type }: PrOutCommand): Outcome {
  const { reservation } = model;
  if (!isPrType(type)) return check(model, SENSE.invalidFieldInCdb);
  if (reservation === null) return good({ ...model, reservation: reservationFor(model, type, nexus) });
  return isHolder(model, nexus) && reservation.type === type ? good(model) : conflict(model);
}

/** RELEASE: ends the sender's reservation; does nothing, and says GOOD, when the sender holds none. */
export function release(model: LunModel, nexus: NexusId, command: PrOutCommand, { rk }: BasicParameters): Outcome {
  const { profile } = model.device;
  const { reservation } = model;
  const keyMatters = profile.releaseChecksKey === "always" ||
    (reservation !== null && (profile.releaseChecksKey === "whileReserved" || isHolder(model, nexus)));
  if (keyMatters && registrationOf(model, nexus)?.key !== rk) return conflict(model);
  if (reservation === null || !isHolder(model, nexus)) return good(model);
  if (reservation.type !== command.type || command.scope !== 0) {
    return refuse(model, profile.releaseMismatch ?? "conflict");
  }
  const told = profile.releaseAttentionTypes.includes(reservation.type) ? others(model, nexus) : [];
  return good(raise({ ...model, reservation: null }, told, ATTENTION.reservationsReleased));
}

/** CLEAR: no reservation and no registrations any more; everybody else who was registered hears of it. */
export function clear(model: LunModel, nexus: NexusId): Outcome {
  const told = others(model, nexus);
  const cleared = { ...model, reservation: null, registrations: [] };
  const kept = model.device.profile.clearEndsAptpl ? setAptpl(cleared, false) : cleared;
  return good(count(raise(kept, told, ATTENTION.reservationsPreempted)));
}

/** REPLACE LOST RESERVATION: only after the device lost its persistent data; starts afresh with the sender as holder. */
export function replaceLost(
  model: LunModel,
  nexus: NexusId,
  { type }: PrOutCommand,
  { rk, sark, aptpl }: BasicParameters,
): Outcome {
  if (!model.informationLost) {
    const known = registrationOf(model, nexus) !== undefined || model.reservation === null;
    return refuse(model, known ? SENSE.invalidRelease : "conflict");
  }
  if (rk !== 0n || sark === 0n) return check(model, SENSE.invalidFieldInList);
  if (!isPrType(type)) return check(model, SENSE.invalidFieldInCdb);
  return good({
    ...model,
    generation: 0,
    ptplActive: aptpl,
    informationLost: false,
    registrations: [{ nexus, key: sark, allTgPt: false }],
    reservation: reservationFor(model, type, nexus),
  });
}
