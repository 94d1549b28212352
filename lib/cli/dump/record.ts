/**
 * What `dump` knows of a LUN, as the JSON it promises (docs: prmig dump --json). Fields may be added, never renamed.
 *
 * Pure.
 *
 * @module
 */
import type { Capabilities } from "../../pr/capabilities.ts";
import type { TransportId } from "../../pr/transport_id.ts";
import type { LunIdentity } from "../../scsi/identity.ts";
import { formatKey, type PrState, prTypeInfo, type Registration } from "../../pr/types.ts";

/** One device of `dump --json`. */
export interface DumpRecord {
  /** As the user named it. */
  readonly device: string;
  readonly sg: string | null;
  readonly block: string | null;
  readonly hctl: string | null;
  /** Name of the multipath map, when the address names one. */
  readonly multipath: string | null;
  /** Addresses of the paths looked through; one unless multipath. */
  readonly paths: readonly string[];
  /** Paths of the map that cannot be opened. */
  readonly unusablePaths: readonly UnusablePath[];
  /** Designator (`naa.6001405...`), vendor, product, revision, serial number, and more. */
  readonly lun: LunIdentity;
  readonly generation: number;
  readonly reservation: DumpReservation | null;
  readonly registrations: readonly DumpRegistration[];
  /** False when the device has no READ FULL STATUS: then nobody has a name. */
  readonly fullStatus: boolean;
  /** Null when the device does not report them. */
  readonly capabilities: Capabilities | null;
  /** What was snooped of this LUN; null when nothing was. */
  readonly snooped: DumpSnooped | null;
}

/** A path that is there in name only. */
export interface UnusablePath {
  readonly path: string;
  readonly reason: string;
}

/** The reservation. */
export interface DumpReservation {
  /** 0 for types 7 and 8. */
  readonly key: string;
  readonly type: number;
  readonly typeName: string;
  /** 0 (the whole logical unit) on every sane device. */
  readonly scope: number;
}

/** One registration. */
export interface DumpRegistration {
  readonly key: string;
  /** Null: several share the holder's key, and the device does not tell which of them holds. */
  readonly holder: boolean | null;
  /** Null: it cannot be told without sending a command that writes. */
  readonly self: boolean | null;
  readonly relativeTargetPort: number | "all" | null;
  readonly transportId: TransportId | null;
}

/** What was snooped on this path by `prmig snoop`. */
export interface DumpSnooped {
  /** Key of the guest's registration; 0 when it has none. */
  readonly key: string;
  /** Type of the reservation it holds; 0 when it holds none. */
  readonly type: number;
  /** Since when, ISO 8601. */
  readonly since: string;
  /** What the helper itself is not certain of, as a clause. */
  readonly uncertain: string | null;
  /** The LUN says the same. */
  readonly agrees: boolean;
  /** What it says instead, as a sentence. */
  readonly difference: string | null;
}

/** What was read, before it is put into words. */
export interface Reading {
  readonly device: string;
  readonly nodes: Pick<DumpRecord, "sg" | "block" | "hctl" | "multipath" | "paths" | "unusablePaths">;
  readonly lun: LunIdentity;
  readonly state: PrState;
  readonly isOwn: (registration: Registration) => boolean | null;
  readonly capabilities: Capabilities | null;
}

/** Puts a reading into the promised form: holders first, then as the device lists them. */
export function toRecord({ device, nodes, lun, state, isOwn, capabilities }: Reading): DumpRecord {
  const { generation, reservation } = state;
  const fullStatus = state.registrations.every(({ transportId }) => transportId !== null);
  const registrations = state.registrations.map((registration): DumpRegistration => ({
    key: formatKey(registration.key),
    holder: isHolder(registration, state),
    self: isOwn(registration),
    relativeTargetPort: registration.relativeTargetPort,
    transportId: registration.transportId,
  }));
  return {
    device,
    ...nodes,
    lun,
    generation,
    reservation: reservation && {
      key: formatKey(reservation.key),
      type: reservation.type,
      typeName: prTypeInfo(reservation.type)?.name ?? `reserved type code ${reservation.type}`,
      scope: reservation.scope,
    },
    registrations: registrations.toSorted((a, b) => rank(a) - rank(b)),
    fullStatus,
    capabilities,
    snooped: null,
  };
}

/** Without READ FULL STATUS everybody with the holder's key looks alike. */
function isHolder({ holder, key, transportId }: Registration, { reservation, registrations }: PrState): boolean | null {
  if (!holder || transportId !== null || reservation === null) return holder;
  if (prTypeInfo(reservation.type)?.allRegistrants) return true;
  return registrations.filter((other) => other.key === key).length > 1 ? null : true;
}

function rank({ holder }: DumpRegistration): number {
  return holder === false ? 2 : holder === null ? 1 : 0;
}
