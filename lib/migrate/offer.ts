/**
 * What the source says it holds on one LUN. Both sides work from it; nothing in it changes during a hand-over, except
 * that a guest which re-keys itself while the destination is prepared makes the source issue a new one.
 *
 * @module
 */
import type { TransportId } from "../pr/transport_id.ts";
import { type PrType, prTypeInfo, type Registration } from "../pr/types.ts";

/** Name of a nexus as the LUN shows it: `sas:600140000000aaaa@1`, initiator port and relative target port. */
export type NexusName = string;

/** Another nexus's registration when the offer was made. */
export interface Bystander {
  /** `null` where the target hides who is who (no READ FULL STATUS). */
  readonly name: NexusName | null;
  readonly key: bigint;
}

/** One LUN of a hand-over, as the source offers it. */
export interface Offer {
  /** Designator of the logical unit: the destination must find the same. */
  readonly designator: string;
  /** The guest's key K. */
  readonly key: bigint;
  /** Type T of the reservation the source holds, or 0 when it is only registered. */
  readonly type: PrType | 0;
  /** PRGENERATION when the offer was made: for people; nothing is decided by it. */
  readonly generation: number;
  /** PTPL_A: carried in every REGISTER, since the last one decides for the whole LUN. */
  readonly ptplActive: boolean;
  /** X: the one-time key the source takes at commit. */
  readonly commitToken: bigint;
  /** Y: the one-time key of the destination, when K alone would not tell it from others; otherwise `null`. */
  readonly destinationToken: bigint | null;
  /** The source's nexuses, one a path; empty where the target hides names. */
  readonly source: readonly NexusName[];
  /** Everybody else. */
  readonly others: readonly Bystander[];
}

/** The key under which the destination is registered until it settles. */
export function destinationKey(offer: Offer): bigint {
  return offer.destinationToken ?? offer.key;
}

/** False where the target hides who is who, or the source's host does not know its own name: then keys alone tell. */
export function namesAreKnown(offer: Offer): boolean {
  return offer.source.length > 0;
}

/** True when other nexuses are registered under the guest's key. */
export function keyIsShared(offer: Offer): boolean {
  return offer.others.some((other) => other.key === offer.key);
}

/** Type to put into a PREEMPT: the reservation's, or any valid one when there is none (case R ignores it). */
export function preemptType(offer: Offer): PrType {
  return offer.type === 0 ? 1 : offer.type;
}

/** True for a type with one holder: its holder may preempt its own key and stay. */
export function hasOneHolder(offer: Offer): boolean {
  return offer.type !== 0 && !prTypeInfo(offer.type)!.allRegistrants;
}

/**
 * True when a source cannot evict a destination but by stepping aside to its token: they stand under one key, and a
 * PREEMPT of the sender's own key would remove the sender too.
 */
export function isEvictedFromAside(offer: Offer): boolean {
  return offer.destinationToken === null && !hasOneHolder(offer);
}

/** The nexus of a registration, or `null` where the target hides it. */
export function nexusName(registration: Registration): NexusName | null {
  const { transportId, relativeTargetPort } = registration;
  return transportId === null ? null : nameOf(transportId, relativeTargetPort);
}

/** The name a LUN gives to a nexus from this initiator port to that target port. */
export function nameOf(transportId: TransportId, relativeTargetPort: number | "all" | null): NexusName {
  return `${transportId.protocol}:${transportId.address.toLowerCase()}@${relativeTargetPort ?? "?"}`;
}
