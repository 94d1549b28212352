/**
 * Access rules of targets that do not keep to the standard's table: LIO and tgt. Pure.
 *
 * @module
 */
import { accessClassOf, isAllowed, type Role } from "../access.ts";
import { type PrType, prTypeInfo } from "../types.ts";
import type { Profile } from "./profile_type.ts";

const TEST_UNIT_READY = 0x00;
const REQUEST_SENSE = 0x03;
const FORMAT_UNIT = 0x04;
const START_STOP_UNIT = 0x1b;
const PREVENT_ALLOW = 0x1e;
/** Free by the standard, and unknown to LIO: START STOP UNIT, PREVENT ALLOW, READ CAPACITY(10), SERVICE ACTION IN(16). */
const NOT_ON_LIOS_LIST: readonly number[] = [START_STOP_UNIT, PREVENT_ALLOW, 0x25, 0x9e];
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

/**
 * LIO names the commands it lets through; all others pass or conflict by the direction of their data. As in Linux 6.1,
 * whose list has no READ CAPACITY at all; later kernels let READ CAPACITY(10) through.
 */
function lio(cdb: Uint8Array, type: PrType, role: Role): boolean {
  const opcode = cdb[0] ?? 0;
  const info = prTypeInfo(type);
  const named = accessClassOf(cdb) === "free" && !NOT_ON_LIOS_LIST.includes(opcode);
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
