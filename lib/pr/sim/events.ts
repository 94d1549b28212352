/**
 * What happens to a simulated LUN without a command: loss of power, resets, lost nexuses, lost memory. Pure.
 * Source: SPC-4, "Preserving persistent reservations and registrations"; SAM-4 for the unit attentions.
 *
 * @module
 */
import { ATTENTION, raise } from "./attention.ts";
import type { LunModel } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";
import { settleAllRegistrants } from "./registry.ts";

/**
 * Off and on again: with PTPL active registrations and reservation come back, without they are gone; PRGENERATION is 0.
 * `nexuses` are those that hear of it besides the ones the LUN knows.
 */
export function powerCycle(model: LunModel, nexuses: readonly NexusId[] = []): LunModel {
  const kept = model.ptplActive ? model : { ...model, registrations: [], reservation: null };
  const on = { ...kept, generation: 0, spc2Holder: null, attentions: {} };
  return raise(on, known(model, nexuses), ATTENTION.powerOn);
}

/** LOGICAL UNIT RESET: persistent reservations stay, those of SPC-2 do not. */
export function lunReset(model: LunModel, nexuses: readonly NexusId[] = []): LunModel {
  return raise({ ...model, spc2Holder: null }, known(model, nexuses), ATTENTION.deviceReset);
}

/** The initiator logs out and in again: still registered, unless the target goes by sessions instead of names. */
export function nexusLoss(model: LunModel, nexus: NexusId): LunModel {
  const spc2Holder = model.spc2Holder === nexus ? null : model.spc2Holder;
  const back = { ...model, spc2Holder, attentions: { ...model.attentions, [nexus]: [] } };
  const told = raise(back, [nexus], ATTENTION.nexusLoss);
  return model.device.profile.nexusLossOrphans ? orphan(told, nexus) : told;
}

/** The device finds its persistent reservation data gone: nothing but REPLACE LOST RESERVATION helps. */
export function loseInformation(model: LunModel): LunModel {
  return { ...model, informationLost: true, registrations: [], reservation: null };
}

/** Leaves the registration to a session that will never come back, so that nobody but PREEMPT and CLEAR removes it. */
function orphan(model: LunModel, nexus: NexusId): LunModel {
  const taken = (name: NexusId): boolean => model.registrations.some((each) => each.nexus === name);
  let number = 1;
  while (taken(`${nexus}!${number}`)) number++;
  const ghost = `${nexus}!${number}`;
  const registrations = model.registrations.map((each) => each.nexus === nexus ? { ...each, nexus: ghost } : each);
  const { reservation } = model;
  const held = reservation?.holder === nexus ? { ...reservation, holder: ghost } : reservation;
  return settleAllRegistrants({ ...model, registrations, reservation: held });
}

function known(model: LunModel, more: readonly NexusId[]): NexusId[] {
  const names = new Set([...model.registrations.map(({ nexus }) => nexus), ...Object.keys(model.attentions), ...more]);
  if (model.spc2Holder !== null) names.add(model.spc2Holder);
  return [...names].filter((name) => !name.includes("!"));
}
