/**
 * Unit attentions of a simulated LUN: raised for a nexus, reported once, in order of importance. Pure.
 * Source: SAM-4, "Unit attention condition"; reset conditions (29h) come before all others.
 *
 * @module
 */
import type { Attention, LunModel } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";
import { check, type Outcome } from "./outcome.ts";

/** Additional sense codes raised here. */
export const ATTENTION = {
  powerOn: 0x2901,
  deviceReset: 0x2903,
  nexusLoss: 0x2907,
  reservationsPreempted: 0x2a03,
  reservationsReleased: 0x2a04,
  registrationsPreempted: 0x2a05,
} as const satisfies Record<string, Attention>;

const UNIT_ATTENTION = 6;

/** Raises one attention for each of `nexuses`; one that waits already is not doubled. */
export function raise(model: LunModel, nexuses: readonly NexusId[], attention: Attention): LunModel {
  if (nexuses.length === 0) return model;
  const attentions: Record<NexusId, readonly Attention[]> = { ...model.attentions };
  for (const nexus of nexuses) {
    const waiting = attentions[nexus] ?? [];
    if (waiting.includes(attention)) continue;
    attentions[nexus] = attention >> 8 === 0x29 ? [attention, ...waiting] : [...waiting, attention];
  }
  return { ...model, attentions };
}

/** Reports the attention that waits for this nexus, if any: the model without it, and its sense. */
export function takeAttention(model: LunModel, nexus: NexusId): { model: LunModel; attention: Attention } | null {
  const waiting = model.attentions[nexus];
  const attention = waiting?.[0];
  if (waiting === undefined || attention === undefined) return null;
  const attentions = { ...model.attentions };
  if (waiting.length === 1 || model.device.profile.attentionDelivery === "firstOnly") delete attentions[nexus];
  else attentions[nexus] = waiting.slice(1);
  return { model: { ...model, attentions }, attention };
}

/** CHECK CONDITION with the waiting attention, or `null` when none waits. */
export function reportAttention(model: LunModel, nexus: NexusId): Outcome | null {
  const taken = takeAttention(model, nexus);
  return taken && check(taken.model, [UNIT_ATTENTION, taken.attention >> 8, taken.attention & 0xff]);
}
