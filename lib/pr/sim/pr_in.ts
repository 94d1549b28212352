/**
 * PERSISTENT RESERVE IN. Pure. Source: SPC-4, "PERSISTENT RESERVE IN command".
 *
 * The answer is built whole and then cut at the allocation length; its length fields describe the whole, except where
 * the profile's target is known to understate.
 *
 * @module
 */
import { BeWriter, type Bytes } from "../../bytes.ts";
import { encodeCapabilities } from "../capabilities.ts";
import { PR_IN_ACTION } from "../cdb.ts";
import { encodeFullStatus, type FullStatusEntry } from "../full_status.ts";
import { encodeReadKeys } from "../read_keys.ts";
import { encodeReadReservation } from "../read_reservation.ts";
import { PR_TYPES, type Reservation } from "../types.ts";
import type { PrInCommand } from "./command.ts";
import { isAllRegistrants, isHolder, type LunModel, registrationOf, type SimRegistration } from "./model.ts";
import { initiatorOf, portOf, simTransportId } from "./nexus_id.ts";
import { check, good, type Outcome } from "./outcome.ts";
import { SENSE } from "./sense_code.ts";

const HEADER_BYTES = 8;
/** LIO takes 6 bytes of room for REPORT CAPABILITIES, and 8 for everything else. */
const CAPABILITIES_LEAST_BYTES = 6;
const DESCRIPTOR_BYTES = 24;

/** Executes a PERSISTENT RESERVE IN. Never changes the LUN. */
export function prIn(model: LunModel, { action, allocationLength: room }: PrInCommand): Outcome {
  const { profile } = model.device;
  const whole = answer(model, action, room);
  if (whole === null) return check(model, SENSE.invalidFieldInCdb);
  if (profile.shortAllocation !== "cut") {
    const least = action === PR_IN_ACTION.reportCapabilities ? CAPABILITIES_LEAST_BYTES : HEADER_BYTES;
    if (room < least) {
      return profile.shortAllocation === "refuse" ? check(model, SENSE.invalidFieldInCdb) : good(model);
    }
  }
  return good(model, room < whole.length ? whole.slice(0, room) : whole);
}

function answer(model: LunModel, action: number, room: number): Bytes | null {
  const { generation, registrations } = model;
  switch (action) {
    case PR_IN_ACTION.readKeys:
      return encodeReadKeys({ generation, keys: registrations.map(({ key }) => key) });
    case PR_IN_ACTION.readReservation:
      return encodeReadReservation({ generation, reservation: shownReservation(model) });
    case PR_IN_ACTION.reportCapabilities:
      return capabilities(model);
    case PR_IN_ACTION.readFullStatus:
      return model.device.profile.readFullStatus ? fullStatus(model, room) : null;
    default:
      return null;
  }
}

/** The reservation as READ RESERVATION shows it: key 0 when all registrants hold. */
function shownReservation(model: LunModel): Reservation | null {
  const { reservation } = model;
  if (reservation === null) return null;
  const key = isAllRegistrants(reservation.type) ? 0n : registrationOf(model, reservation.holder)?.key ?? 0n;
  return { key, type: reservation.type, scope: 0 };
}

function capabilities({ device: { profile }, ptplActive }: LunModel): Bytes {
  return encodeCapabilities({
    ptplCapable: profile.ptpl,
    ptplActive,
    allTargetPorts: profile.allTargetPorts,
    specifyInitiatorPorts: profile.specifyInitiatorPorts,
    types: PR_TYPES.map(({ type }) => type),
    replaceLost: profile.replaceLost,
    compatibleReservationHandling: profile.compatibleReservations,
    allowCommands: profile.allowCommands,
    typeMaskValid: profile.typeMaskValid,
  });
}

function fullStatus(model: LunModel, room: number): Bytes {
  const { generation } = model;
  const entries = fullStatusEntries(model);
  const whole = encodeFullStatus({ generation, registrations: entries });
  if (!model.device.profile.fullStatusUnderstates || whole.length <= room) return whole;
  let at = HEADER_BYTES;
  while (at < whole.length) {
    const size = DESCRIPTOR_BYTES + new DataView(whole.buffer).getUint32(at + 20);
    if (at + size > room) break;
    at += size;
  }
  return new BeWriter(at).put(0, whole.subarray(0, at)).u32(4, at - HEADER_BYTES).bytes;
}

/** READ FULL STATUS entries in the order of registration. */
export function fullStatusEntries(model: LunModel): FullStatusEntry[] {
  const { allTgPtShown } = model.device.profile;
  const entries: FullStatusEntry[] = [];
  const merged = new Set<string>();
  for (const registration of model.registrations) {
    const { nexus, allTgPt } = registration;
    const initiator = initiatorOf(nexus);
    if (merged.has(initiator)) continue;
    let all = allTgPt && allTgPtShown === "flagged";
    if (allTgPt && allTgPtShown === "merged" && oneOnEveryPort(model, registration)) {
      all = true;
      merged.add(initiator);
    }
    entries.push(entryOf(model, registration, all));
  }
  return entries;
}

function entryOf(model: LunModel, { nexus, key }: SimRegistration, all: boolean): FullStatusEntry {
  const held = isHolder(model, nexus) && model.reservation !== null ? { scope: 0, type: model.reservation.type } : null;
  return {
    key,
    holder: held !== null,
    held,
    relativeTargetPort: all ? "all" : portOf(nexus),
    transportId: simTransportId(nexus),
  };
}

/** True when this initiator is registered alike on every port, so that one descriptor tells the truth of all. */
function oneOnEveryPort(model: LunModel, { nexus, key }: SimRegistration): boolean {
  const mine = model.registrations.filter((each) => initiatorOf(each.nexus) === initiatorOf(nexus));
  const held = isHolder(model, nexus);
  return mine.length === model.device.ports.length &&
    mine.every((each) => each.allTgPt && each.key === key && isHolder(model, each.nexus) === held);
}
