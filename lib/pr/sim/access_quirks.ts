/**
 * Access rules of targets that do not keep to the standard's table: LIO and tgt. Pure.
 *
 * @module
 */
import { accessClassOf, isAllowed, type Role } from "../access.ts";
import { prTypeInfo } from "../types.ts";
import type { PrType } from "../types.ts";
import type { Profile } from "./profile.ts";

const TEST_UNIT_READY = 0x00;
const REQUEST_SENSE = 0x03;
const FORMAT_UNIT = 0x04;
const START_STOP_UNIT = 0x1b;
const PREVENT_ALLOW = 0x1e;
const SERVICE_ACTION_IN_16 = 0x9e;
const MODE_SENSE: readonly number[] = [0x1a, 0x5a];
/** Commands without a data phase: LIO judges what is not on its list by the direction of the data. */
const NO_DATA: readonly number[] = [
  TEST_UNIT_READY,
  FORMAT_UNIT,
  START_STOP_UNIT,
  PREVENT_ALLOW,
  0x35,
  0x91,
  0x34,
  0x90,
];

/** Whether the profile's target lets this command through. */
export function mayRun(rules: Profile["accessRules"], cdb: Uint8Array, type: PrType, role: Role): boolean {
  switch (rules) {
    case "standard":
      return isAllowed(type, role, accessClassOf(cdb));
    case "lio":
      return lio(cdb, type, role);
    case "tgt":
      return tgt(cdb, type, role);
  }
}

/** LIO names the commands it lets through; all others pass or conflict by the direction of their data. */
function lio(cdb: Uint8Array, type: PrType, role: Role): boolean {
  const opcode = cdb[0] ?? 0;
  const info = prTypeInfo(type);
  const named = accessClassOf(cdb) === "free" && opcode !== START_STOP_UNIT && opcode !== PREVENT_ALLOW &&
    opcode !== SERVICE_ACTION_IN_16;
  if (role === "holder" || named || info === undefined) return true;
  const registered = role === "registrant";
  if (registered && info.registrantsHaveAccess) return true;
  if (info.exclusiveAccess) return registered && onSenseList(cdb);
  if (registered) return onSenseList(cdb) || direction(cdb) === "in";
  return direction(cdb) !== "out";
}

/** MODE SENSE and its neighbours: LIO lets every registrant have them, whatever the type. */
function onSenseList(cdb: Uint8Array): boolean {
  const opcode = cdb[0] ?? 0;
  return MODE_SENSE.includes(opcode) || [0x8c, 0x3c, 0x1c, 0xa2, 0xa3].includes(opcode);
}

function direction(cdb: Uint8Array): "none" | "in" | "out" {
  const opcode = cdb[0] ?? 0;
  if (NO_DATA.includes(opcode)) return "none";
  const reads = accessClassOf(cdb);
  return opcode === REQUEST_SENSE || reads === "read" || reads === "free" ? "in" : "out";
}

/** tgt: MODE SENSE only for those who may write, START STOP UNIT for everybody. */
function tgt(cdb: Uint8Array, type: PrType, role: Role): boolean {
  const opcode = cdb[0] ?? 0;
  if (opcode === START_STOP_UNIT) return true;
  return isAllowed(type, role, MODE_SENSE.includes(opcode) ? "write" : accessClassOf(cdb));
}
