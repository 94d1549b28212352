/**
 * Every way in which targets differ that the simulated LUN knows: one field each. Pure; the targets are in profile.ts.
 *
 * @module
 */
import type { SenseCode } from "./sense_code.ts";

/** Steps of the common checks of PERSISTENT RESERVE OUT; a profile lists them in the order its target makes them. */
export type PrOutCheck =
  /** LIO's gate in front of everything: the sender against somebody else's reservation. */
  | "reservedByAnother"
  | "serviceAction"
  | "listLength"
  | "registered"
  | "key"
  | "flags"
  | "type"
  | "scope";

/** One way of being a target. */
export interface Profile {
  /** Name used in addresses and files. */
  readonly name: string;
  /** REPORT CAPABILITIES bits, and what they promise. */
  readonly replaceLost: boolean;
  /** CRH: SPC-2 RESERVE and RELEASE are tolerated from those who have access. */
  readonly compatibleReservations: boolean;
  /** SIP_C: SPEC_I_PT works. */
  readonly specifyInitiatorPorts: boolean;
  /** ATP_C: ALL_TG_PT works. */
  readonly allTargetPorts: boolean;
  /** PTPL_C: APTPL works. */
  readonly ptpl: boolean;
  /** ALLOW COMMANDS field, 0 to 7. */
  readonly allowCommands: number;
  /** TMV and the type mask are reported. */
  readonly typeMaskValid: boolean;

  /** READ FULL STATUS is there. */
  readonly readFullStatus: boolean;
  /** PREEMPT AND ABORT is there. */
  readonly preemptAndAbort: boolean;
  /** REGISTER AND MOVE is there. */
  readonly registerAndMove: boolean;

  /** Common checks of PERSISTENT RESERVE OUT, in the target's order. */
  readonly checks: readonly PrOutCheck[];
  /** Sense of a PARAMETER LIST LENGTH that cannot be. */
  readonly badListLength: SenseCode;
  /** Sense of a list whose length contradicts its TransportIDs. */
  readonly badIdListLength: SenseCode;
  /** Sense of a flag (SPEC_I_PT, ALL_TG_PT, APTPL) the target does not support. */
  readonly unsupportedFlag: SenseCode;
  /** A flag that is not supported is refused where it is ignored, too. */
  readonly refusesIgnoredFlags: boolean;
  /** Sense of another scope than the logical unit. */
  readonly badScope: SenseCode;
  /** Answer to an unregistered sender of anything but PREEMPT while no reservation exists; `null`: RESERVATION CONFLICT. */
  readonly unregisteredUnreserved: SenseCode | null;

  /** RESERVE compares RESERVATION KEY with the sender's. */
  readonly reserveChecksKey: boolean;
  /** RELEASE by a registrant that does not hold compares RESERVATION KEY: always, only while reserved, never. */
  readonly releaseChecksKey: "always" | "whileReserved" | "holderOnly";
  /** RELEASE with another type by the holder; `null`: RESERVATION CONFLICT. */
  readonly releaseMismatch: SenseCode | null;
  /** Types whose RELEASE gives the other registrants 2A/04. */
  readonly releaseAttentionTypes: readonly number[];
  /** Types whose end by the holder's unregistering gives the other registrants 2A/04. */
  readonly implicitReleaseAttentionTypes: readonly number[];

  /** Attention of a nexus whose registration was preempted. */
  readonly preemptedAttention: number;
  /** PREEMPT validates TYPE: only where it uses it, or always. (tgt never does, and stores type 0; not simulated.) */
  readonly preemptValidatesType: "whenUsed" | "always";
  /** PREEMPT that takes a reservation refuses another scope than the logical unit. */
  readonly preemptChecksScope: boolean;
  /** PREEMPT with SARK 0 while somebody, and not everybody, holds. */
  readonly preemptZeroHeld: SenseCode;
  /** PREEMPT with SARK 0 while nothing is reserved; the standard does not say, `spc4` answers 05/26/00. */
  readonly preemptZeroUnreserved: SenseCode | "conflict" | "good";
  /** PREEMPT of the sender's own key that removes registrations only: is the sender's removed with them? */
  readonly ownKeyPreemptRemovesSender: {
    readonly unreserved: boolean;
    readonly heldUnderAnotherKey: boolean;
    readonly allRegistrants: boolean;
  };
  /** Types 7 and 8: one registration is the holder inside; preempting its key counts as preempting the reservation. */
  readonly allRegistrantsInternalHolder: boolean;
  /** REGISTER AND MOVE looks at its parameter list before it looks at the reservation. */
  readonly moveReadsListFirst: boolean;

  /** PRGENERATION counts an unregistering, and a REGISTER that registers nothing. */
  readonly generationCountsUnregister: boolean;
  /** PRGENERATION counts a REGISTER that registers nothing. */
  readonly generationCountsNothingRegistered: boolean;
  /** One count more when the holder's unregistering ends the reservation. */
  readonly generationCountsImplicitRelease: boolean;
  /** One count more for each further port an ALL_TG_PT registration reaches. */
  readonly generationCountsEachPort: boolean;
  /** A REGISTER that registers nothing still sets APTPL. */
  readonly nothingRegisteredSetsAptpl: boolean;
  /** CLEAR switches persistence through power loss off. */
  readonly clearEndsAptpl: boolean;
  /** A successful register-type command is reported as 02/08/00 (LIO that cannot write its APTPL file). */
  readonly registerReportsNotReady: boolean;
  /** SPEC_I_PT names a nexus that is registered already. */
  readonly specIPtRegistered: "refuse" | "skip" | "overwrite";
  /** A registration made with ALL_TG_PT refuses a REGISTER without it. */
  readonly allTgPtSticks: boolean;
  /** A key change, or unregistering by REGISTER AND IGNORE EXISTING KEY, with ALL_TG_PT reaches the other ports too. */
  readonly allTgPtReachesSiblings: boolean;
  /** READ FULL STATUS of ALL_TG_PT registrations: one descriptor for all ports, one flagged a port, one unflagged a port. */
  readonly allTgPtShown: "merged" | "flagged" | "unflagged";

  /** PR IN with room for less than the header: cut, refused with 05/24/00, or nothing delivered. */
  readonly shortAllocation: "cut" | "refuse" | "nothing";
  /** READ FULL STATUS delivers whole descriptors only, and an ADDITIONAL LENGTH of what it delivered. */
  readonly fullStatusUnderstates: boolean;

  /** Whose access table: that of the standard or of a target known for its own. */
  readonly accessRules: "standard" | "lio" | "tgt";
  /** START STOP UNIT that does anything but start ends in 05/24/00. */
  readonly startsOnly: boolean;
  /** A waiting unit attention is reported before the reservation is looked at. */
  readonly attentionBeforeConflict: boolean;
  /** Attentions delivered: one a command, or the first with all others dropped. */
  readonly attentionDelivery: "each" | "firstOnly";
  /** RESERVE(6) by a registrant that does not hold a registrants-only reservation is GOOD, as CRH promises. */
  readonly spc2GoodForRegistrants: boolean;
  /** SPC-2 reservations and persistent ones take no notice of each other. */
  readonly spc2Apart: boolean;
  /** Operation codes that pass through the SPC-2 reservation of another nexus. */
  readonly freeUnderSpc2: readonly number[];
  /** Loss of an I_T nexus leaves its registration to nobody. */
  readonly nexusLossOrphans: boolean;
}
