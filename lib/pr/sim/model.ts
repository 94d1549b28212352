/**
 * A simulated logical unit as one plain, immutable value: cheap to copy, to compare and to keep in a file.
 *
 *   LunModel ── device         what never changes: identity, target ports, capacity, profile
 *            ├─ registrations  who is registered, under which key (order of registration)
 *            ├─ reservation    type and holder
 *            ├─ attentions     per nexus: unit attentions waiting, oldest first
 *            └─ medium         the blocks that are not all zero
 *
 * Pure. Keys are `bigint` here and hex in a file (lib/sim). Nothing outside lib/pr/sim changes a model but by apply()
 * and the events.
 *
 * @module
 */
import type { PrType } from "../types.ts";
import type { NexusId } from "./nexus_id.ts";
import type { Profile } from "./profile_type.ts";

/** What a simulated device says of itself in INQUIRY and VPD pages. */
export interface SimIdentity {
  /** At most 8 ASCII characters. */
  readonly vendor: string;
  /** At most 16 ASCII characters. */
  readonly product: string;
  /** At most 4 ASCII characters. */
  readonly revision: string;
  /** Unit serial number, VPD 80h. */
  readonly serial: string;
  /** NAA designator of the logical unit: 16 or 32 lower-case hex digits, VPD 83h. */
  readonly naa: string;
}

/** The part of a LUN that no command changes. */
export interface SimDevice {
  /** Who the device is. */
  readonly identity: SimIdentity;
  /** Relative target port identifiers of the device, ascending. */
  readonly ports: readonly number[];
  /** Capacity in blocks of {@link BLOCK_BYTES}. */
  readonly blocks: number;
  /** Registrations the device has room for. */
  readonly maxRegistrations: number;
  /** Which target it behaves like. */
  readonly profile: Profile;
}

/** Bytes of a logical block. */
export const BLOCK_BYTES = 512;

/** One registered I_T nexus. */
export interface SimRegistration {
  /** Who is registered. */
  readonly nexus: NexusId;
  /** Never 0. */
  readonly key: bigint;
  /** Made by a REGISTER with ALL_TG_PT = 1. */
  readonly allTgPt: boolean;
}

/** Who holds when every registrant does. */
export const ALL_REGISTRANTS = "*";

/** The persistent reservation. */
export interface SimReservation {
  /** TYPE. */
  readonly type: PrType;
  /**
   * The holding nexus; {@link ALL_REGISTRANTS} for types 7 and 8, unless the profile's target keeps one registration
   * as internal holder (LIO), which is then named here.
   */
  readonly holder: NexusId;
}

/** Unit attention: additional sense code in the high byte, its qualifier in the low byte (2A05h ...). */
export type Attention = number;

/** A simulated LUN at one instant. */
export interface LunModel {
  /** The device itself. */
  readonly device: SimDevice;
  /** PRGENERATION, 32 bits, wraps. */
  readonly generation: number;
  /** PTPL_A: registrations and reservation survive loss of power. */
  readonly ptplActive: boolean;
  /** Who is registered, in the order of registration. */
  readonly registrations: readonly SimRegistration[];
  /** The persistent reservation, if there is one. */
  readonly reservation: SimReservation | null;
  /** Holder of an SPC-2 reservation: RESERVE(6/10). */
  readonly spc2Holder: NexusId | null;
  /** The device found its persistent reservation data gone: only REPLACE LOST RESERVATION helps. */
  readonly informationLost: boolean;
  /** Nexuses without unit attentions are absent. */
  readonly attentions: Readonly<Record<NexusId, readonly Attention[]>>;
  /** Logical block address -> hex digits of its bytes without trailing zero bytes; an all-zero block is absent. */
  readonly medium: Readonly<Record<string, string>>;
}

/** A LUN as it leaves the factory: nobody registered, nothing written. */
export function newLunModel(device: SimDevice): LunModel {
  return {
    device,
    generation: 0,
    ptplActive: false,
    registrations: [],
    reservation: null,
    spc2Holder: null,
    informationLost: false,
    attentions: {},
    medium: {},
  };
}

/** Registration of a nexus, or undefined. */
export function registrationOf(model: LunModel, nexus: NexusId): SimRegistration | undefined {
  for (const registration of model.registrations) if (registration.nexus === nexus) return registration;
  return undefined;
}

/** True for types 7 and 8. */
export function isAllRegistrants(type: number): boolean {
  return type === 7 || type === 8;
}

/** True when this nexus holds the reservation; types 7 and 8: when it is registered. */
export function isHolder(model: LunModel, nexus: NexusId): boolean {
  const { reservation } = model;
  if (reservation === null) return false;
  if (isAllRegistrants(reservation.type)) return registrationOf(model, nexus) !== undefined;
  return reservation.holder === nexus;
}

/** A reservation of `type` got by `nexus`, as the profile's target records it. */
export function reservationFor(model: LunModel, type: PrType, nexus: NexusId): SimReservation {
  const all = isAllRegistrants(type) && !model.device.profile.allRegistrantsInternalHolder;
  return { type, holder: all ? ALL_REGISTRANTS : nexus };
}

/**
 * Two models of one device with equal keys behave alike for ever: for hashing in a model check.
 *
 * The device is left out, and so is the order of registration where the target does not go by it.
 */
export function modelKey(model: LunModel): string {
  const registrations = model.registrations.map(({ nexus, key, allTgPt }) =>
    `${nexus}=${key.toString(16)}${allTgPt ? "*" : ""}`
  );
  if (!model.device.profile.allRegistrantsInternalHolder) registrations.sort();
  const { reservation } = model;
  let text = `${model.generation}${model.ptplActive ? "p" : ""}${
    model.informationLost ? "!" : ""
  }|${registrations.join()}|`;
  if (reservation !== null) text += `${reservation.type}@${reservation.holder}`;
  if (model.spc2Holder !== null) text += `|2@${model.spc2Holder}`;
  for (const nexus of Object.keys(model.attentions).sort()) text += `|${nexus}!${model.attentions[nexus]?.join()}`;
  for (const block of Object.keys(model.medium)) text += `|${block}:${model.medium[block]}`;
  return text;
}
