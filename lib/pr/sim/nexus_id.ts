/**
 * Names of simulated I_T nexuses: which initiator port talks to which target port, as one short string.
 *
 *   "a"    initiator a, relative target port 1
 *   "a#2"  the same initiator through relative target port 2: another nexus, the same TransportID
 *
 * An initiator's TransportID is the iSCSI name `iqn.2026-01.net.example.prmig:<initiator>` (format 00b; `net.example`
 * is reserved for documentation, RFC 2606). iSCSI names do not know case, hence neither do ours: "A" is "a".
 * Pure.
 *
 * @module
 */
import type { TransportId } from "../transport_id.ts";

/** An I_T nexus of a simulated LUN: `initiator` or `initiator#port`. Always lower case; made by {@link nexusId}. */
export type NexusId = string;

/** What comes before the initiator's name in its TransportID. */
export const SIM_NAMING_AUTHORITY = "iqn.2026-01.net.example.prmig:";

const INITIATOR = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const DEFAULT_PORT = 1;

/**
 * The nexus of an initiator and a relative target port.
 *
 * Errors: `RangeError` when the name has anything but letters, digits, `.` and `-` (1 to 63 of them), or the port is
 * not 1 to 65535.
 */
export function nexusId(initiator: string, port: number = DEFAULT_PORT): NexusId {
  const name = initiator.toLowerCase();
  if (!INITIATOR.test(name)) {
    throw new RangeError(`"${initiator}" is no nexus name: use 1 to 63 letters, digits, "." and "-"`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) throw new RangeError(`${port} is no relative target port`);
  return port === DEFAULT_PORT ? name : `${name}#${port}`;
}

/** The initiator's name within a nexus. */
export function initiatorOf(nexus: NexusId): string {
  const hash = nexus.indexOf("#");
  return hash < 0 ? nexus : nexus.slice(0, hash);
}

/** The relative target port of a nexus. */
export function portOf(nexus: NexusId): number {
  const hash = nexus.indexOf("#");
  return hash < 0 ? DEFAULT_PORT : Number(nexus.slice(hash + 1));
}

/** The same initiator through another target port. */
export function throughPort(nexus: NexusId, port: number): NexusId {
  const name = initiatorOf(nexus);
  return port === DEFAULT_PORT ? name : `${name}#${port}`;
}

/** TransportID of the initiator port of a nexus. */
export function simTransportId(nexus: NexusId): TransportId {
  return { protocol: "iscsi", address: SIM_NAMING_AUTHORITY + initiatorOf(nexus) };
}

/** The initiator a TransportID names, or `null` when it is none of ours. */
export function initiatorOfTransportId(id: TransportId): string | null {
  if (id.protocol !== "iscsi") return null;
  const address = id.address.toLowerCase();
  if (!address.startsWith(SIM_NAMING_AUTHORITY)) return null;
  const name = address.slice(SIM_NAMING_AUTHORITY.length);
  return INITIATOR.test(name) ? name : null;
}
