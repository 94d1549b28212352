/**
 * RESERVE and RELEASE of SPC-2, and how they and persistent reservations keep out of each other's way. Pure.
 * Sources: SPC-2, "RESERVE(6) command"; SPC-4, "Exceptions to SPC-2 RESERVE and RELEASE behavior" (CRH = 1).
 *
 * @module
 */
import { isHolder, type LunModel, registrationOf } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";
import { conflict, good, type Outcome } from "./outcome.ts";

const RESERVE: readonly number[] = [0x16, 0x56];
const RELEASE: readonly number[] = [0x17, 0x57];

/** Executes RESERVE or RELEASE; `null` for any other command. */
export function spc2Command(model: LunModel, nexus: NexusId, opcode: number): Outcome | null {
  const reserving = RESERVE.includes(opcode);
  if (!reserving && !RELEASE.includes(opcode)) return null;
  if (model.registrations.length > 0 && !model.device.profile.spc2Apart) {
    return model.device.profile.compatibleReservations && toleratedFrom(model, nexus) ? good(model) : conflict(model);
  }
  if (!reserving) return good(model.spc2Holder === nexus ? { ...model, spc2Holder: null } : model);
  if (model.spc2Holder !== null && model.spc2Holder !== nexus) return conflict(model);
  return good(model.spc2Holder === nexus ? model : { ...model, spc2Holder: nexus });
}

/** CRH: those who have access anyway may send RESERVE and RELEASE; it changes nothing. */
function toleratedFrom(model: LunModel, nexus: NexusId): boolean {
  const { reservation } = model;
  if (reservation === null) return false;
  if (isHolder(model, nexus)) return !lioStranger(model, nexus);
  return model.device.profile.spc2GoodForRegistrants && reservation.type >= 5 &&
    registrationOf(model, nexus) !== undefined;
}

/** LIO looks at the type in the sender's own registration, which only the internal holder has. */
function lioStranger(model: LunModel, nexus: NexusId): boolean {
  return model.device.profile.allRegistrantsInternalHolder && model.reservation?.holder !== nexus;
}

/** True when the SPC-2 reservation of another nexus is in this command's way. */
export function spc2Conflicts(model: LunModel, nexus: NexusId, opcode: number): boolean {
  if (model.spc2Holder === null || model.spc2Holder === nexus) return false;
  return !model.device.profile.freeUnderSpc2.includes(opcode);
}
