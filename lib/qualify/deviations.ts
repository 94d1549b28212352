/**
 * Known differences of kinds of target from the scenarios, each with its reason. Pure data.
 *
 * @module
 */
import type { Deviation } from "./verdict.ts";

type Row = readonly [scenario: string, step: number, seen: string];

function because(reason: string, rows: readonly Row[], sometimes = false): Deviation[] {
  return rows.map(([scenario, step, seen]) => ({ scenario, step, seen, reason, sometimes }));
}

/** LIO, the Linux kernel target. */
export const LIO_DEVIATIONS: readonly Deviation[] = [
  ...because("LIO does not count an unregistering, nor a REGISTER that registers nothing", [
    ["C08", 2, "nobody registered, not reserved, generation +0"],
    ["C13", 2, "nobody registered, not reserved, generation +0"],
    ["C14", 4, "nobody registered, not reserved, generation +0"],
  ]),
  ...because("LIO blames the parameter list for a scope in the CDB", [["C19", 2, "05/26/00"]]),
  ...because("LIO answers strangers 02/08/00 while nothing is reserved", [["C21", 1, "02/08/00"]]),
  ...because("LIO answers a RELEASE of another type with a conflict", [["C39", 3, "conflict"]]),
  ...because("LIO looks at the key of a RELEASE only when the sender holds", [["C41", 4, "good"]]),
  ...because("LIO keeps one registrant as holder inside: preempting its key takes the reservation, with a new type", [
    ["C57", 5, "B=K2, type 5 held by B"],
    ["C62", 5, "B=K1, type 8 held by all"],
  ]),
  ...because("LIO before 2026 validates TYPE of a PREEMPT even where it is ignored", [
    ["C63", 3, "05/24/00"],
    ["C63", 4, "A=K1 B=K2, not reserved"],
  ], true),
  ...because("LIO passes over an initiator named by SPEC_I_PT that is registered already", [
    ["C75", 2, "good"],
    ["C75", 3, "A=K1 B=K2, not reserved"],
  ]),
  ...because("LIO does not know READ CAPACITY(16) as harmless", [["C84", 7, "conflict"]]),
  ...because("LIO of older kernels (6.1) does not know READ CAPACITY(10) as harmless", [["C84", 6, "conflict"]], true),
  ...because("LIO lets commands without data pass through Write Exclusive", [
    ["C85", 5, "05/24/00"],
    ["C85", 6, "good"],
  ]),
  ...because("LIO grants RESERVE(6) to the holder only", [["C86", 5, "conflict"]]),
];

/** Known differences by kind of target. */
export const DEVIATIONS: Readonly<Record<string, readonly Deviation[]>> = { spc4: [], lio: LIO_DEVIATIONS };
