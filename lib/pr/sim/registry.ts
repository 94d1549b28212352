/**
 * Registrations of a simulated LUN put in, re-keyed and taken out, with what that does to the reservation. Pure.
 * Source: SPC-4, "Registering", "Unregistering".
 *
 * @module
 */
import { ATTENTION, raise } from "./attention.ts";
import { isAllRegistrants, isHolder, type LunModel, type SimRegistration } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";

/** Counts a successful action. PRGENERATION has 32 bits and wraps. */
export function count(model: LunModel, by = 1): LunModel {
  return by === 0 ? model : { ...model, generation: (model.generation + by) >>> 0 };
}

/** The last register-type command decides for the whole LUN. */
export function setAptpl(model: LunModel, ptplActive: boolean): LunModel {
  return model.ptplActive === ptplActive ? model : { ...model, ptplActive };
}

/** Registers a nexus, or gives it another key; its place among the registrations stays. */
export function putRegistration(model: LunModel, registration: SimRegistration): LunModel {
  const at = model.registrations.findIndex(({ nexus }) => nexus === registration.nexus);
  const registrations = at < 0 ? [...model.registrations, registration] : model.registrations.with(at, registration);
  return { ...model, registrations };
}

/** Removes registrations and nothing else. */
export function dropRegistrations(model: LunModel, doomed: readonly NexusId[]): LunModel {
  return { ...model, registrations: model.registrations.filter(({ nexus }) => !doomed.includes(nexus)) };
}

/** All registered nexuses but one. */
export function others(model: LunModel, nexus: NexusId): NexusId[] {
  const found: NexusId[] = [];
  for (const registration of model.registrations) if (registration.nexus !== nexus) found.push(registration.nexus);
  return found;
}

/**
 * Unregisters a registered nexus: the reservation it alone held ends with it, one of all registrants with the last of
 * them. `released` tells whether it did.
 */
export function unregister(model: LunModel, nexus: NexusId): { model: LunModel; released: boolean } {
  const held = isHolder(model, nexus) ? model.reservation : null;
  const left = dropRegistrations(model, [nexus]);
  if (held === null) return { model: left, released: false };
  if (isAllRegistrants(held.type)) {
    const settled = settleAllRegistrants(left);
    return { model: settled, released: settled.reservation === null };
  }
  const free = { ...left, reservation: null };
  const told = model.device.profile.implicitReleaseAttentionTypes.includes(held.type) ? others(free, nexus) : [];
  return { model: raise(free, told, ATTENTION.reservationsReleased), released: true };
}

/** Ends an all-registrants reservation nobody is left to hold, or finds its internal holder's successor. */
export function settleAllRegistrants(model: LunModel): LunModel {
  const { reservation, registrations } = model;
  if (reservation === null || !isAllRegistrants(reservation.type)) return model;
  const first = registrations[0];
  if (first === undefined) return { ...model, reservation: null };
  if (!model.device.profile.allRegistrantsInternalHolder) return model;
  if (registrations.some(({ nexus }) => nexus === reservation.holder)) return model;
  return { ...model, reservation: { ...reservation, holder: first.nexus } };
}
