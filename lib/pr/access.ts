/**
 * Who may send what while a LUN is reserved, as a table: the class of a command, the type of the reservation, and the
 * sender's role. Pure. Sources: SPC-4, "Persistent reservations interactions with other commands"; SBC-3, the like.
 *
 *   class    1, other   3, other   5-8, registrant   5 and 7, stranger   6 and 8, stranger   holder
 *   free     yes        yes        yes               yes                 yes                 yes
 *   read     yes        -          yes               yes                 -                   yes
 *   write    -          -          yes               -                   -                   yes
 *
 * @module
 */
import { type PrType, prTypeInfo } from "./types.ts";

/** The sender's standing: types 7 and 8 make every registrant a holder. */
export type Role = "holder" | "registrant" | "stranger";

/** Classes of commands. `reservation`: PERSISTENT RESERVE and RESERVE/RELEASE, which have rules of their own. */
export type AccessClass = "free" | "read" | "write" | "reservation";

/** True when a command of this class is allowed; else RESERVATION CONFLICT. */
export function isAllowed(type: PrType, role: Role, accessClass: AccessClass): boolean {
  if (role === "holder" || accessClass === "free" || accessClass === "reservation") return true;
  const info = prTypeInfo(type);
  if (info === undefined) return false;
  if (role === "registrant" && info.registrantsHaveAccess) return true;
  return accessClass === "read" && !info.exclusiveAccess;
}

/** What a nexus may do with the medium: `rw`, `r-` or `--`. */
export function mediumAccess(type: PrType, role: Role): "rw" | "r-" | "--" {
  if (isAllowed(type, role, "write")) return "rw";
  return isAllowed(type, role, "read") ? "r-" : "--";
}

/** Operation codes by class; those with conditions are seen to in {@link accessClassOf}. Anything else is a write. */
const CLASS_BY_OPCODE = new Map<number, AccessClass>([
  [0x00, "free"], // TEST UNIT READY
  [0x03, "free"], // REQUEST SENSE
  [0x12, "free"], // INQUIRY
  [0x25, "free"], // READ CAPACITY(10)
  [0x4d, "free"], // LOG SENSE
  [0x86, "free"], // ACCESS CONTROL IN
  [0x87, "free"], // ACCESS CONTROL OUT
  [0xa0, "free"], // REPORT LUNS
  [0x08, "read"], // READ(6)
  [0x28, "read"], // READ(10)
  [0xa8, "read"], // READ(12)
  [0x88, "read"], // READ(16)
  [0x2f, "read"], // VERIFY(10)
  [0xaf, "read"], // VERIFY(12)
  [0x8f, "read"], // VERIFY(16)
  [0x34, "read"], // PRE-FETCH(10)
  [0x90, "read"], // PRE-FETCH(16)
  [0x1a, "read"], // MODE SENSE(6)
  [0x5a, "read"], // MODE SENSE(10)
  [0x3c, "read"], // READ BUFFER
  [0x8c, "read"], // READ ATTRIBUTE
  [0x1c, "read"], // RECEIVE DIAGNOSTIC RESULTS
  [0x37, "read"], // READ DEFECT DATA(10)
  [0xb7, "read"], // READ DEFECT DATA(12)
  [0xa2, "read"], // SECURITY PROTOCOL IN
  [0x5e, "reservation"], // PERSISTENT RESERVE IN
  [0x5f, "reservation"], // PERSISTENT RESERVE OUT
  [0x16, "reservation"], // RESERVE(6)
  [0x17, "reservation"], // RELEASE(6)
  [0x56, "reservation"], // RESERVE(10)
  [0x57, "reservation"], // RELEASE(10)
]);

/** MAINTENANCE IN service actions that only read what the device says of itself: free; the rest of them are reads. */
const FREE_MAINTENANCE_IN: readonly number[] = [0x05, 0x0a, 0x0b, 0x0e, 0x0f];
/** SERVICE ACTION IN(16): READ CAPACITY(16) is free, GET LBA STATUS a read. */
const FREE_SERVICE_ACTION_IN_16 = 0x10;
/** RECEIVE COPY RESULTS family: RECEIVE ROD TOKEN INFORMATION is free. */
const FREE_RECEIVE_COPY = 0x07;

/** Class of a command block. A block too short for the field that decides counts as a write. */
export function accessClassOf(cdb: Uint8Array): AccessClass {
  const opcode = cdb[0] ?? 0;
  const action = (cdb[1] ?? 0) & 0x1f;
  switch (opcode) {
    case 0x1b: // START STOP UNIT: only a plain start is free
      return ((cdb[4] ?? 0) & 0xf1) === 0x01 ? "free" : "write";
    case 0x1e: // PREVENT ALLOW MEDIUM REMOVAL: allowing is free
      return ((cdb[4] ?? 0x03) & 0x03) === 0 ? "free" : "write";
    case 0xa3: // MAINTENANCE IN
      return FREE_MAINTENANCE_IN.includes(action) ? "free" : "read";
    case 0x9e: // SERVICE ACTION IN(16)
      return action === FREE_SERVICE_ACTION_IN_16 ? "free" : "read";
    case 0x84: // RECEIVE COPY RESULTS
      return action === FREE_RECEIVE_COPY ? "free" : "read";
    default:
      return CLASS_BY_OPCODE.get(opcode) ?? "write";
  }
}
