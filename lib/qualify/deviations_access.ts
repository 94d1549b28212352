/**
 * Known differences from the access matrix (C97 to C99), by command instead of by step. Pure data.
 *
 * @module
 */
import { type AccessRow, DATA_ROWS, DEVICE_ROWS, RESERVE6_ROWS, type Standing, stepOf } from "./access_matrix.ts";
import type { OrdinaryName } from "./ordinary.ts";
import type { Deviation } from "./verdict.ts";

interface Found {
  /** Reservation types. */
  readonly types: readonly number[];
  readonly from: readonly Standing[];
  readonly commands: readonly OrdinaryName[];
  readonly seen: string;
}

function because(reason: string, id: string, rows: readonly AccessRow[], found: Found, sometimes = false): Deviation[] {
  const { types, from, commands, seen } = found;
  return types.flatMap((type) =>
    from.flatMap((standing) =>
      commands.map((command) => ({
        scenario: `${id}-${type}`,
        step: stepOf(rows, standing, command),
        seen,
        reason,
        sometimes,
      }))
    )
  );
}

const WRITE_EXCLUSIVE = [1, 5, 7];
const EXCLUSIVE_ACCESS = [3, 6, 8];
const ALL = [1, 3, 5, 6, 7, 8];

/** LIO's. */
export const LIO_ACCESS: readonly Deviation[] = [
  ...because("LIO lets commands without data pass through Write Exclusive", "C97", DATA_ROWS, {
    types: WRITE_EXCLUSIVE,
    from: ["stranger"],
    commands: ["synchronizeCache10"],
    seen: "good",
  }),
  ...because("LIO lets commands without data pass through Write Exclusive", "C98", DEVICE_ROWS, {
    types: WRITE_EXCLUSIVE,
    from: ["stranger"],
    commands: ["active"],
    seen: "05/24/00",
  }),
  ...because("LIO does not know START STOP UNIT as harmless", "C98", DEVICE_ROWS, {
    types: EXCLUSIVE_ACCESS,
    from: ["stranger"],
    commands: ["start"],
    seen: "conflict",
  }),
  ...because("LIO does not know START STOP UNIT as harmless", "C98", DEVICE_ROWS, {
    types: [1, 3],
    from: ["registrant"],
    commands: ["start"],
    seen: "conflict",
  }),
  ...because("LIO does not know READ CAPACITY(16) as harmless", "C98", DEVICE_ROWS, {
    types: EXCLUSIVE_ACCESS,
    from: ["stranger"],
    commands: ["readCapacity16"],
    seen: "conflict",
  }),
  ...because("LIO does not know READ CAPACITY(16) as harmless", "C98", DEVICE_ROWS, {
    types: [3],
    from: ["registrant"],
    commands: ["readCapacity16"],
    seen: "conflict",
  }),
  ...because("LIO of older kernels (6.1) does not know READ CAPACITY(10) as harmless", "C98", DEVICE_ROWS, {
    types: EXCLUSIVE_ACCESS,
    from: ["stranger"],
    commands: ["readCapacity10"],
    seen: "conflict",
  }, true),
  ...because("LIO of older kernels (6.1) does not know READ CAPACITY(10) as harmless", "C98", DEVICE_ROWS, {
    types: [3],
    from: ["registrant"],
    commands: ["readCapacity10"],
    seen: "conflict",
  }, true),
  ...because("LIO lets every registrant read mode pages", "C98", DEVICE_ROWS, {
    types: [3],
    from: ["registrant"],
    commands: ["modeSense6"],
    seen: "good",
  }),
  ...because("LIO grants RESERVE(6) to the holder only", "C99-tolerated", RESERVE6_ROWS, {
    types: [5, 6, 7, 8],
    from: ["registrant"],
    commands: ["reserve6", "release6"],
    seen: "conflict",
  }),
];

/** tgt's, as of 1.0.85. */
export const TGT_ACCESS: readonly Deviation[] = [
  ...because("tgt keeps those who may not write from mode pages", "C98", DEVICE_ROWS, {
    types: WRITE_EXCLUSIVE,
    from: ["stranger"],
    commands: ["modeSense6"],
    seen: "conflict",
  }),
  ...because("tgt keeps those who may not write from mode pages", "C98", DEVICE_ROWS, {
    types: [1],
    from: ["registrant"],
    commands: ["modeSense6"],
    seen: "conflict",
  }),
  ...because("tgt lets everybody change the unit's power", "C98", DEVICE_ROWS, {
    types: ALL,
    from: ["stranger"],
    commands: ["active"],
    seen: "good",
  }),
  ...because("tgt lets everybody change the unit's power", "C98", DEVICE_ROWS, {
    types: [1, 3],
    from: ["registrant"],
    commands: ["active"],
    seen: "good",
  }),
  ...because("tgt grants RESERVE(6) whatever is registered", "C99-refused", RESERVE6_ROWS, {
    types: ALL,
    from: ["stranger", "registrant", "holder"],
    commands: ["reserve6", "release6"],
    seen: "good",
  }),
];
