/**
 * REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS of a simulated LUN. Pure.
 * Source: SPC-4, the commands of those names.
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes } from "../../bytes.ts";
import { PR_OUT_ACTION } from "../cdb.ts";
import type { Profile } from "./profile_type.ts";

const OPERATION_CODES = 0x0c;
const TASK_MANAGEMENT = 0x0d;
/** Abort task, abort task set, clear task set, logical unit reset. */
const TASK_MANAGEMENT_BITS = 0xd8;

/** Operation codes without service actions, with the length of their CDB. */
const PLAIN: readonly (readonly [opcode: number, cdbBytes: number])[] = [
  [0x00, 6],
  [0x03, 6],
  [0x08, 6],
  [0x0a, 6],
  [0x12, 6],
  [0x15, 6],
  [0x16, 6],
  [0x17, 6],
  [0x1a, 6],
  [0x1b, 6],
  [0x1e, 6],
  [0x25, 10],
  [0x28, 10],
  [0x2a, 10],
  [0x2e, 10],
  [0x2f, 10],
  [0x35, 10],
  [0x41, 10],
  [0x42, 10],
  [0x4d, 10],
  [0x55, 10],
  [0x56, 10],
  [0x57, 10],
  [0x5a, 10],
  [0x88, 16],
  [0x89, 16],
  [0x8a, 16],
  [0x8e, 16],
  [0x8f, 16],
  [0x91, 16],
  [0x93, 16],
  [0xa0, 12],
  [0xa8, 12],
  [0xaa, 12],
];

interface Supported {
  readonly opcode: number;
  readonly action: number | null;
  readonly cdbBytes: number;
}

/** Data of a MAINTENANCE IN; `null` for a service action or reporting option that is not there. */
export function reportSupported(profile: Profile, cdb: BeReader): Bytes | null {
  switch (cdb.u8(1, "SERVICE ACTION") & 0x1f) {
    case OPERATION_CODES:
      return operationCodes(profile, cdb);
    case TASK_MANAGEMENT:
      return new BeWriter(4).u8(0, TASK_MANAGEMENT_BITS).bytes;
    default:
      return null;
  }
}

function operationCodes(profile: Profile, cdb: BeReader): Bytes | null {
  const all = supported(profile);
  const opcode = cdb.u8(3, "REQUESTED OPERATION CODE");
  const action = cdb.u16(4, "REQUESTED SERVICE ACTION");
  const same = all.filter((each) => each.opcode === opcode);
  switch (cdb.u8(2, "REPORTING OPTIONS") & 0x07) {
    case 0:
      return everyCommand(all);
    case 1: // by operation code: only for those without service actions
      return same.some((each) => each.action !== null) ? null : oneCommand(same[0]);
    case 2: // by operation code and service action: only for those with them
      return same.some((each) => each.action === null) ? null : oneCommand(same.find((each) => each.action === action));
    case 3:
      return oneCommand(same.find((each) => (each.action ?? 0) === action));
    default:
      return null;
  }
}

function everyCommand(all: readonly Supported[]): Bytes {
  const out = new BeWriter(4 + 8 * all.length).u32(0, 8 * all.length);
  all.forEach(({ opcode, action, cdbBytes }, i) => {
    const at = 4 + 8 * i;
    out.u8(at, opcode).u16(at + 2, action ?? 0).u8(at + 5, action === null ? 0 : 1).u16(at + 6, cdbBytes);
  });
  return out.bytes;
}

/** One command: SUPPORT 3 (as the standard has it) with a usage map, or 1 (not supported). */
function oneCommand(one: Supported | undefined): Bytes {
  if (one === undefined) return new BeWriter(4).u8(1, 1).bytes;
  const usage = new Uint8Array(one.cdbBytes).fill(0xff, 1, one.cdbBytes - 1);
  usage[0] = one.opcode;
  if (one.action !== null) usage[1] = one.action;
  return new BeWriter(4 + usage.length).u8(1, 3).u16(2, usage.length).put(4, usage).bytes;
}

function supported(profile: Profile): Supported[] {
  const actions = (opcode: number, codes: readonly number[], cdbBytes: number): Supported[] =>
    codes.map((action) => ({ opcode, action, cdbBytes }));
  const A = PR_OUT_ACTION;
  const out: number[] = [A.register, A.reserve, A.release, A.clear, A.preempt, A.registerAndIgnore];
  if (profile.preemptAndAbort) out.push(A.preemptAndAbort);
  if (profile.registerAndMove) out.push(A.registerAndMove);
  if (profile.replaceLost) out.push(A.replaceLost);
  return [
    ...PLAIN.map(([opcode, cdbBytes]) => ({ opcode, action: null, cdbBytes })),
    ...actions(0x5e, profile.readFullStatus ? [0, 1, 2, 3] : [0, 1, 2], 10),
    ...actions(0x5f, out.sort((a, b) => a - b), 10),
    ...actions(0x9e, [0x10], 16),
    ...actions(0xa3, [OPERATION_CODES, TASK_MANAGEMENT], 12),
  ];
}
