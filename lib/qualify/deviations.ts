/**
 * Known differences of kinds of target from the scenarios, each with its reason. Pure data.
 *
 * @module
 */
import { LIO_ACCESS, TGT_ACCESS } from "./deviations_access.ts";
import type { Deviation } from "./verdict.ts";

type Row = readonly [scenario: string, step: number, seen: string];

function because(reason: string, rows: readonly Row[], sometimes = false): Deviation[] {
  return rows.map(([scenario, step, seen]) => ({ scenario, step, seen, reason, sometimes }));
}

/**
 * LIO looks the nexus that a TransportID names up by its relative target port alone, in a list with the initiator's newest
 * LUN first, so that another LUN of the initiator may be told instead. Where it has one LUN, or this is its newest, all is
 * as it should be.
 */
export const LIO_NAMED_NEXUS: readonly Deviation[] = because(
  "LIO sends the unit attentions of a nexus that was registered by its TransportID to the initiator's newest LUN, " +
    "which may be another one",
  [
    ["C68-cleared", 6, "good"],
    ["C68-preempted", 6, "good"],
    ["C68-released", 14, "good"],
    ["C73-cleared", 4, "good"],
  ],
  true,
);

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
  ...LIO_ACCESS,
  ...LIO_NAMED_NEXUS,
];

/** tgt, the Linux user-space target, as of 1.0.85. */
export const TGT_DEVIATIONS: readonly Deviation[] = [
  ...because("tgt does not look at the key of a RESERVE", [
    ["C20", 2, "good"],
    ["C20", 3, "K1, type 5 held under K1"],
  ]),
  ...because("tgt tells the end of a reservation to the nexus that ended it, and not to the registrant", [
    ["C32-1", 6, "06/2A/04"],
    ["C32-3", 6, "06/2A/04"],
    ["C32-5", 6, "06/2A/04"],
    ["C32-6", 6, "06/2A/04"],
    ["C34", 5, "good"],
    ["C34", 7, "06/2A/04"],
    ["C35", 6, "06/2A/04"],
  ]),
  ...because("tgt tells of a RELEASE for the types 1 and 3, not for the others, and tells the nexus that sent it", [
    ["C37", 7, "good"],
    ["C38", 5, "06/2A/04"],
  ]),
  ...because("tgt looks at the key of a RELEASE only when the sender holds", [["C41", 4, "good"]]),
  ...because("tgt blames the CDB for what is wrong in the parameter list", [
    ["C54", 5, "05/24/00"],
    ["C76", 1, "05/24/00"],
    ["C76", 2, "05/24/00"],
  ]),
  ...because("tgt never removes the sender of a PREEMPT", [
    ["C59", 4, "K1, not reserved"],
    ["C61", 6, "K1 K3, type 5 held under K3"],
    ["C62", 5, "K1, type 8 held under 0"],
  ]),
  ...because("tgt says that reservations were preempted (2A/03) where registrations were (2A/05)", [
    ["C48", 4, "06/2A/03"],
    ["C49", 8, "06/2A/03"],
    ["C50", 7, "06/2A/03"],
    ["C51", 7, "06/2A/03"],
    ["C51", 9, "06/2A/03"],
    ["C52", 7, "06/2A/03"],
    ["C55", 7, "06/2A/03"],
    ["C55", 9, "06/2A/03"],
    ["C56", 7, "06/2A/03"],
    ["C56", 9, "06/2A/03"],
    ["C57", 6, "06/2A/03"],
    ["C57-after", 5, "06/2A/03"],
    ["C59", 5, "06/2A/03"],
    ["C60", 6, "06/2A/03"],
    ["C61", 7, "06/2A/03"],
    ["C62", 6, "06/2A/03"],
    ["C90", 11, "06/2A/03"],
    ["C91", 8, "06/2A/03"],
    ["C91", 14, "06/2A/03"],
  ]),
  ...because("tgt does not say which reset it was", [["C81", 6, "06/29/00"]]),
  ...because("tgt answers REQUEST SENSE with the unit attention itself, and keeps it", [
    ["C83", 6, "06/2A/03"],
    ["C83", 7, "06/2A/03"],
  ]),
  ...because("tgt lets PERSISTENT RESERVE through an SPC-2 reservation", [
    ["C87", 2, "good"],
    ["C87", 3, "good"],
    ["C87", 4, "good"],
    ["C87", 5, "good"],
    ["C87", 7, "K1 K2, not reserved"],
  ]),
  ...because("tgt keeps those who may not write from mode pages", [["C85", 3, "conflict"]]),
  ...because("tgt lets everybody change the unit's power", [["C85", 5, "good"]]),
  ...because(
    "tgt goes on using the registration that made a reservation of type 7 or 8 after PREEMPT has freed it: the next " +
      "REGISTER may change type and holder, so that hand-overs of these types do not hold there",
    [["C57-after", 8, "K2 K3, type 0 held under K3"]],
    true,
  ),
  ...TGT_ACCESS,
];

/** Known differences by kind of target. */
export const DEVIATIONS: Readonly<Record<string, readonly Deviation[]>> = {
  spc4: [],
  lio: LIO_DEVIATIONS,
  tgt: TGT_DEVIATIONS,
};
