/**
 * Is a registration ours? Decided from what the host knows of its own port, without sending a command.
 *
 * Pure. Three answers, because on many hosts the honest one is "cannot tell".
 *
 * @module
 */
import type { InitiatorHint } from "./nexus.ts";
import { iscsiName, sameTransportId, type TransportId } from "./transport_id.ts";
import type { Registration } from "./types.ts";

/**
 * `true`: this initiator port through this target port. `false`: certainly somebody else, or another path of ours.
 * `null`: cannot be told (our port is not known, or only its name without the ISID; the device does not name ports).
 *
 * @param initiator our end of the nexus; `null` when the host does not reveal it
 * @param relativeTargetPort the target port we talk to (VPD page 83h, designator type 4h); `null` when not known
 */
export function isOwn(
  registration: Pick<Registration, "transportId" | "relativeTargetPort">,
  initiator: InitiatorHint | null,
  relativeTargetPort: number | null,
): boolean | null {
  const ports = samePort(registration.relativeTargetPort, relativeTargetPort);
  if (ports === false) return false;
  if (initiator === null || registration.transportId === null) return null;
  const names = sameInitiator(registration.transportId, initiator);
  return names === false ? false : names && ports;
}

function samePort(registered: number | "all" | null, ours: number | null): boolean | null {
  if (registered === "all") return true;
  return registered === null || ours === null ? null : registered === ours;
}

function sameInitiator(registered: TransportId, { transportId, match }: InitiatorHint): boolean | null {
  if (match === "exact") return sameTransportId(registered, transportId);
  if (registered.protocol !== transportId.protocol) return false;
  const name = iscsiName(registered);
  const begins = name === undefined
    ? registered.address.toLowerCase().startsWith(transportId.address.toLowerCase())
    : name.toLowerCase() === iscsiName(transportId)?.toLowerCase();
  return begins ? null : false; // the beginning agrees, and another session of this host would look the same
}
