/**
 * What a LUN, as one side sees it, means for a hand-over. Pure: a dump in, findings out.
 *
 * @module
 */
import { isToken } from "../../migrate/tokens.ts";
import { isPrType } from "../../pr/types.ts";
import type { DumpRecord, DumpRegistration } from "../dump/record.ts";
import { DISK_TYPES } from "../hand_over/luns.ts";
import { type Finding, fine, obstacle, warning } from "./finding.ts";

/** What both sides need of a LUN. */
export function lunFindings(record: DumpRecord): Finding[] {
  return [
    identity(record),
    capability(record),
    fullStatus(record),
    powerLoss(record),
    unfinished(record),
    ...paths(record),
  ].filter((finding) => finding !== null);
}

function identity({ device, lun }: DumpRecord): Finding {
  if (!DISK_TYPES.includes(lun.deviceType)) {
    return obstacle(
      "identity",
      "device",
      `it is no disk (device type ${lun.deviceType})`,
      "name a disk: prmig dump --all",
    );
  }
  if (lun.designator === null) {
    const says = "the device gives no name by which two hosts could tell that they mean the same LUN (VPD page 83h)";
    return obstacle("identity", "device", says, `give it one in the target's configuration; prmig dump ${device}`);
  }
  return fine("identity", lun.designator);
}

function capability({ device, capabilities, reservation }: DumpRecord): Finding {
  if (reservation !== null && !isPrType(reservation.type)) {
    const says = `it is reserved with type ${reservation.type}, which no standard defines`;
    return obstacle("capability", "refused", says, `prmig dump ${device}`);
  }
  if (capabilities === null) {
    return warning(
      "capability",
      "persistent reservations work; the device does not report which types it supports",
      null,
    );
  }
  const { types, typeMaskValid } = capabilities;
  if (!typeMaskValid) return warning("capability", "persistent reservations work; the type mask says nothing", null);
  if (types.length === 0) {
    const says = "the device supports no type of persistent reservation";
    return obstacle("capability", "device", says, "turn persistent reservations on in the target's configuration");
  }
  return fine("capability", `persistent reservations, types ${types.join(" ")}`);
}

function fullStatus({ fullStatus, registrations }: DumpRecord): Finding | null {
  if (fullStatus || registrations.length === 0) return null;
  const says =
    "the device has no READ FULL STATUS: who is behind a key is not known, so the destination registers under a " +
    "one-time key until the end";
  return warning("who is who", says, null);
}

function powerLoss({ capabilities, registrations }: DumpRecord): Finding | null {
  if (capabilities === null || registrations.length === 0) return null;
  if (capabilities.ptplActive) {
    return fine("power loss", "registrations survive it (APTPL on); the hand-over keeps it so");
  }
  const says = "registrations do not survive a loss of power of the target (APTPL off); the hand-over keeps it so";
  const remedy = capabilities.ptplCapable ? "have the guest or the cluster register with APTPL, if they should" : null;
  return warning("power loss", says, remedy);
}

function unfinished({ registrations }: DumpRecord): Finding | null {
  const token = registrations.find(({ key }) => isToken(BigInt(key)));
  if (token === undefined) return null;
  const says = `somebody stands under ${token.key}, a one-time key: a hand-over is under way, or was interrupted`;
  return obstacle("unfinished", "refused", says, "prmig recover");
}

function paths({ multipath, paths, unusablePaths }: DumpRecord): Finding[] {
  if (multipath === null) return [];
  const lost = unusablePaths.map(({ path, reason }) => `${path} (${reason})`).join("; ");
  if (lost !== "") {
    const says = `${unusablePaths.length} of ${paths.length + unusablePaths.length} paths cannot be used: ${lost}`;
    return [obstacle("multipath", "device", says, `mend them: multipath -ll ${multipath}`)];
  }
  return [fine("multipath", `map ${multipath}, ${paths.length} paths, all of them usable`)];
}

/** What else the source needs: to be registered, and to know under which key. */
export function sourceFindings(record: DumpRecord): Finding[] {
  const { device, registrations } = record;
  const own = registrations.filter(({ self }) => self === true);
  const unknown = registrations.filter(({ self }) => self === null);
  if (own.length > 0) return ownFindings(record, own);
  if (registrations.length === 0) {
    return [
      obstacle("ours", "refused", "nobody is registered: there is nothing to hand over", "register the guest first"),
    ];
  }
  if (unknown.length === 0) {
    const says = `this host is not registered; ${
      registrations.length === 1 ? "another is" : `${registrations.length} others are`
    }`;
    return [obstacle("ours", "refused", says, `see who is: prmig dump ${device}`)];
  }
  const says =
    "reading does not tell which registration is this host's; prmig send finds it by registering each key over " +
    "itself, which changes nothing but the generation";
  return [warning("ours", says, "name the guest's key: prmig send --key"), ...shared(record, unknown)];
}

function ownFindings(record: DumpRecord, own: readonly DumpRegistration[]): Finding[] {
  const { device, paths, reservation } = record;
  const keys = [...new Set(own.map(({ key }) => key))];
  if (keys.length > 1) {
    const says = `the paths of this host stand under different keys: ${keys.join(", ")}`;
    return [obstacle("ours", "refused", says, "register every path under one key, or name a single path")];
  }
  const holds = own.some(({ holder }) => holder === true);
  const says = `registered under ${keys[0]}` +
    (holds ? `, holding ${reservation?.typeName ?? "the LUN"}` : ", holding nothing: the registration alone moves");
  const partly = paths.length > own.length && record.multipath !== null
    ? [warning(
      "paths",
      `${own.length} of ${paths.length} paths are registered: the others stay as they are`,
      `register them all, if the guest uses them: prmig dump ${device}`,
    )]
    : [];
  return [fine("ours", says), ...partly, ...shared(record, own)];
}

/** `own`: registrations that are, or may be, this host's. One that may be ours may as well share its key with another. */
function shared({ registrations }: DumpRecord, own: readonly DumpRegistration[]): Finding[] {
  const shares = (each: DumpRegistration): boolean => own.some((mine) => mine !== each && mine.key === each.key);
  const others = registrations.filter((each) => each.self !== true && shares(each));
  if (others.length === 0) return [];
  const says =
    "other nexuses share the key; they stay as they are, but once the hand-over is settled, taking it back from " +
    "a dead host would evict them too (--evict-shared)";
  return [warning("shared key", says, "give every nexus a key of its own, where the cluster allows it")];
}

/** What the destination needs beside: the same LUN, and nothing of its own on it. */
export function destinationFindings(source: DumpRecord, destination: DumpRecord): Finding[] {
  const { device, lun, registrations } = destination;
  if (lun.designator === null || lun.designator !== source.lun.designator) {
    const says = `${device} is ${lun.designator ?? "a LUN without a name"}, not ${source.lun.designator}`;
    return [obstacle("same LUN", "refused", says, "give that host access to the same LUN, and name its device there")];
  }
  const found = [fine("same LUN", `${device} is the same LUN`)];
  const own = registrations.filter(({ self }) => self === true);
  if (own.length > 0) {
    const says = `the destination is registered already, under ${own[0]!.key}`;
    return [
      ...found,
      obstacle("destination", "refused", says, "unregister it there, or hand over in the other direction"),
    ];
  }
  if (registrations.some(({ self }) => self === null)) {
    const says = "reading does not tell whether the destination is registered already";
    return [...found, warning("destination", says, null)];
  }
  return [...found, fine("destination", "it is not registered yet")];
}
