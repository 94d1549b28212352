/**
 * What targets do differently, as data: the simulated LUN follows the standard, and a profile bends it into a known
 * target's shape. Pure.
 *
 * `spc4` is the standard as SPC-4 has it, with every optional capability. Where the standard is silent the comment at
 * the field (profile_type.ts) says what `spc4` does.
 *
 * @module
 */
import type { Profile } from "./profile_type.ts";
import { SENSE } from "./sense_code.ts";

export type { Profile, PrOutCheck } from "./profile_type.ts";

/** The standard. */
export const SPC4: Profile = {
  name: "spc4",
  replaceLost: true,
  compatibleReservations: true,
  specifyInitiatorPorts: true,
  allTargetPorts: true,
  ptpl: true,
  allowCommands: 3,
  typeMaskValid: true,
  readFullStatus: true,
  preemptAndAbort: true,
  registerAndMove: true,
  checks: ["serviceAction", "listLength", "registered", "key", "flags", "scope", "type"],
  badListLength: SENSE.listLengthError,
  badIdListLength: SENSE.listLengthError,
  unsupportedFlag: SENSE.invalidFieldInList,
  refusesIgnoredFlags: false,
  badScope: SENSE.invalidFieldInCdb,
  unregisteredUnreserved: null,
  reserveChecksKey: true,
  releaseChecksKey: "always",
  releaseMismatch: SENSE.invalidRelease,
  releaseAttentionTypes: [5, 6, 7, 8],
  implicitReleaseAttentionTypes: [5, 6],
  preemptedAttention: 0x2a05,
  preemptValidatesType: "whenUsed",
  preemptChecksScope: true,
  preemptZeroHeld: SENSE.invalidFieldInList,
  preemptZeroUnreserved: SENSE.invalidFieldInList,
  ownKeyPreemptRemovesSender: { unreserved: true, heldUnderAnotherKey: true, allRegistrants: true },
  allRegistrantsInternalHolder: false,
  moveReadsListFirst: false,
  generationCountsUnregister: true,
  generationCountsNothingRegistered: true,
  generationCountsImplicitRelease: false,
  generationCountsEachPort: false,
  nothingRegisteredSetsAptpl: true,
  clearEndsAptpl: false,
  registerReportsNotReady: false,
  specIPtRegistered: "refuse",
  allTgPtSticks: false,
  allTgPtReachesSiblings: true,
  allTgPtShown: "merged",
  shortAllocation: "cut",
  fullStatusUnderstates: false,
  accessRules: "standard",
  startsOnly: false,
  attentionBeforeConflict: true,
  attentionDelivery: "each",
  spc2GoodForRegistrants: true,
  spc2Apart: false,
  freeUnderSpc2: [0x03, 0x12, 0xa0, 0x17, 0x57],
  nexusLossOrphans: false,
};

/** Linux kernel target (LIO), as of Linux 6.1. */
export const LIO: Profile = {
  ...SPC4,
  name: "lio",
  replaceLost: false,
  allowCommands: 1,
  checks: ["reservedByAnother", "listLength", "flags", "serviceAction", "type", "registered", "key", "scope"],
  badIdListLength: SENSE.invalidFieldInList,
  badScope: SENSE.invalidFieldInList,
  unregisteredUnreserved: SENSE.logicalUnitCommunicationFailure,
  releaseChecksKey: "holderOnly",
  releaseMismatch: null,
  preemptValidatesType: "always",
  ownKeyPreemptRemovesSender: { unreserved: true, heldUnderAnotherKey: true, allRegistrants: false },
  allRegistrantsInternalHolder: true,
  moveReadsListFirst: true,
  generationCountsUnregister: false,
  generationCountsNothingRegistered: false,
  generationCountsEachPort: true,
  nothingRegisteredSetsAptpl: false,
  clearEndsAptpl: true,
  specIPtRegistered: "skip",
  allTgPtSticks: true,
  allTgPtReachesSiblings: false,
  allTgPtShown: "flagged",
  shortAllocation: "refuse",
  fullStatusUnderstates: true,
  accessRules: "lio",
  startsOnly: true,
  attentionDelivery: "firstOnly",
  spc2GoodForRegistrants: false,
  freeUnderSpc2: [0x12, 0x17, 0x57],
};

/** LIO whose APTPL directory is missing: every register-type command works and is reported as 02/08/00. */
export const LIO_NO_APTPL: Profile = { ...LIO, name: "lio-no-aptpl", registerReportsNotReady: true };

/** SCST. */
export const SCST: Profile = {
  ...SPC4,
  name: "scst",
  replaceLost: false,
  allowCommands: 4,
  releaseChecksKey: "whileReserved",
  preemptValidatesType: "always",
  preemptZeroUnreserved: "conflict",
  ownKeyPreemptRemovesSender: { unreserved: false, heldUnderAnotherKey: true, allRegistrants: false },
  specIPtRegistered: "overwrite",
  allTgPtShown: "unflagged",
  shortAllocation: "nothing",
  attentionBeforeConflict: false,
};

/**
 * tgt, the user-space target. Its REGISTER AND MOVE (finds the destination by key, loses the type, crashes without a
 * reservation) is answered as unsupported here.
 */
export const TGT: Profile = {
  ...SPC4,
  name: "tgt",
  replaceLost: false,
  compatibleReservations: false,
  specifyInitiatorPorts: false,
  allTargetPorts: false,
  ptpl: false,
  allowCommands: 0,
  readFullStatus: false,
  preemptAndAbort: false,
  registerAndMove: false,
  badListLength: SENSE.invalidFieldInCdb,
  checks: ["serviceAction", "listLength", "flags", "type", "scope", "registered", "key"],
  unsupportedFlag: SENSE.invalidFieldInCdb,
  refusesIgnoredFlags: true,
  reserveChecksKey: false,
  releaseChecksKey: "holderOnly",
  releaseAttentionTypes: [1, 3],
  implicitReleaseAttentionTypes: [1, 3, 5, 6],
  preemptedAttention: 0x2a03,
  preemptChecksScope: false,
  preemptZeroHeld: SENSE.invalidFieldInCdb,
  preemptZeroUnreserved: "good",
  ownKeyPreemptRemovesSender: { unreserved: false, heldUnderAnotherKey: false, allRegistrants: false },
  generationCountsImplicitRelease: true,
  shortAllocation: "refuse",
  accessRules: "tgt",
  spc2Apart: true,
  freeUnderSpc2: [0x03, 0x12, 0x17, 0x1a, 0x25, 0x57, 0x5a, 0x9e, 0xa0],
  nexusLossOrphans: true,
};

/** All profiles by name. */
export const PROFILES: Readonly<Record<string, Profile>> = Object.fromEntries(
  [SPC4, LIO, LIO_NO_APTPL, SCST, TGT].map((profile) => [profile.name, profile]),
);
