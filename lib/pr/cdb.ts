/**
 * Command descriptor blocks of PERSISTENT RESERVE IN and OUT.
 *
 * Pure. Source: SPC-4, "PERSISTENT RESERVE IN command", "PERSISTENT RESERVE OUT command".
 *
 *   IN   0 5Eh | 1 SERVICE ACTION | 7-8 ALLOCATION LENGTH (16 bits) | 9 CONTROL
 *   OUT  0 5Fh | 1 SERVICE ACTION | 2 SCOPE, TYPE | 5-8 PARAMETER LIST LENGTH (32 bits) | 9 CONTROL
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes } from "../bytes.ts";
import { Malformed } from "./malformed.ts";
import { packScopeType, unpackScopeType } from "./scope_type.ts";

/** Operation code of PERSISTENT RESERVE IN. */
export const PR_IN = 0x5e;
/** Operation code of PERSISTENT RESERVE OUT. */
export const PR_OUT = 0x5f;

/** Service actions of PERSISTENT RESERVE IN. */
export const PR_IN_ACTION = {
  readKeys: 0x00,
  readReservation: 0x01,
  reportCapabilities: 0x02,
  readFullStatus: 0x03,
} as const;

/** Service actions of PERSISTENT RESERVE OUT. */
export const PR_OUT_ACTION = {
  register: 0x00,
  reserve: 0x01,
  release: 0x02,
  clear: 0x03,
  preempt: 0x04,
  preemptAndAbort: 0x05,
  registerAndIgnore: 0x06,
  registerAndMove: 0x07,
  replaceLost: 0x08,
} as const;

/** Our word for a PERSISTENT RESERVE IN service action. */
export type PrInAction = keyof typeof PR_IN_ACTION;
/** Our word for a PERSISTENT RESERVE OUT service action. */
export type PrOutAction = keyof typeof PR_OUT_ACTION;

const PR_IN_NAMES = ["READ KEYS", "READ RESERVATION", "REPORT CAPABILITIES", "READ FULL STATUS"];
const PR_OUT_NAMES = [
  "REGISTER",
  "RESERVE",
  "RELEASE",
  "CLEAR",
  "PREEMPT",
  "PREEMPT AND ABORT",
  "REGISTER AND IGNORE EXISTING KEY",
  "REGISTER AND MOVE",
  "REPLACE LOST RESERVATION",
];

/** A PERSISTENT RESERVE command block, or the operation code of some other command. */
export type PrCdb =
  | { readonly kind: "in"; readonly action: number; readonly allocationLength: number }
  | {
    readonly kind: "out";
    readonly action: number;
    readonly scope: number;
    readonly type: number;
    readonly parameterListLength: number;
  }
  | { readonly kind: "other"; readonly opcode: number };

const CDB_BYTES = 10;
/** The longest answer a 16-bit allocation length can ask for. */
export const MAX_ALLOCATION = 0xffff;

/** PERSISTENT RESERVE IN: 10 bytes. `action` is a name, or a code 0..1Fh. `allocationLength` in bytes, at most 65535. */
export function prInCdb(action: PrInAction | number, allocationLength: number): Bytes {
  const code = typeof action === "number" ? action : PR_IN_ACTION[action];
  return new BeWriter(CDB_BYTES).u8(0, PR_IN).u8(1, serviceAction(code)).u16(7, allocationLength).bytes;
}

/** PERSISTENT RESERVE OUT: 10 bytes. Scope and type default to 0, the parameter list to the basic 24 bytes. */
export function prOutCdb(
  { action, scope = 0, type = 0, parameterListLength = 24 }: {
    action: PrOutAction | number;
    scope?: number;
    type?: number;
    parameterListLength?: number;
  },
): Bytes {
  const code = typeof action === "number" ? action : PR_OUT_ACTION[action];
  return new BeWriter(CDB_BYTES)
    .u8(0, PR_OUT).u8(1, serviceAction(code))
    .u8(2, packScopeType({ scope, type }))
    .u32(5, parameterListLength).bytes;
}

function serviceAction(code: number): number {
  if (!Number.isInteger(code) || code < 0 || code > 0x1f) throw new RangeError(`${code} is no service action`);
  return code;
}

/**
 * Decodes a command block. A block padded with zeros (the 16 bytes of QEMU's pr-helper protocol) is the same command.
 * Errors: `ShortBuffer` below 10 bytes of a PR command (or none at all), {@link Malformed} when the padding is not zero.
 */
export function decodePrCdb(cdb: Uint8Array): PrCdb {
  const reader = new BeReader(cdb);
  const opcode = reader.u8(0, "OPERATION CODE");
  if (opcode !== PR_IN && opcode !== PR_OUT) return { kind: "other", opcode };
  reader.u8(9, "CONTROL");
  if (cdb.subarray(CDB_BYTES).some((byte) => byte !== 0)) {
    throw new Malformed("CDB", `${cdb.length} bytes, and not zero beyond the ${CDB_BYTES} of the command`);
  }
  const action = reader.u8(1, "SERVICE ACTION") & 0x1f;
  if (opcode === PR_IN) return { kind: "in", action, allocationLength: reader.u16(7, "ALLOCATION LENGTH") };
  return {
    kind: "out",
    action,
    ...unpackScopeType(reader.u8(2, "SCOPE, TYPE")),
    parameterListLength: reader.u32(5, "PARAMETER LIST LENGTH"),
  };
}

/** The standard's name of a PERSISTENT RESERVE IN service action: "READ KEYS", or "service action 1Fh". */
export function prInActionName(action: number): string {
  return PR_IN_NAMES[action] ?? unnamed(action);
}

/** The standard's name of a PERSISTENT RESERVE OUT service action: "PREEMPT AND ABORT", or "service action 1Fh". */
export function prOutActionName(action: number): string {
  return PR_OUT_NAMES[action] ?? unnamed(action);
}

/** Our word for a service action code of PERSISTENT RESERVE OUT; undefined for a reserved one. */
export function prOutAction(code: number): PrOutAction | undefined {
  return (Object.keys(PR_OUT_ACTION) as PrOutAction[]).find((name) => PR_OUT_ACTION[name] === code);
}

function unnamed(action: number): string {
  return `service action ${action.toString(16).toUpperCase().padStart(2, "0")}h`;
}
