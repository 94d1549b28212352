/**
 * Who may send what while the LUN is reserved: every type, every role, the usual commands. Pure data, kept apart from the
 * table of the simulated LUN (lib/pr/access.ts), so that one can be held against the other.
 *
 * Sources: SPC-4, "Persistent reservations interactions with other commands"; SBC-3, the tables for block commands; for
 * RESERVE(6): SPC-4, "Exceptions to SPC-2 RESERVE and RELEASE behavior".
 *
 * @module
 */
import type { OrdinaryName } from "./ordinary.ts";

/** Standing of a sender. For types 7 and 8 a registrant is a holder, too. */
export type Standing = "stranger" | "registrant" | "holder";

/** In the order in which a scenario gets to them: B before it registers, B after, A. */
export const STANDINGS: readonly Standing[] = ["stranger", "registrant", "holder"];

/** Types there are. */
export const TYPES: readonly number[] = [1, 3, 5, 6, 7, 8];

/**
 * A letter for each type 1 3 5 6 7 8: `+` allowed, `-` RESERVATION CONFLICT. The holder may send anything.
 */
export interface AccessRow {
  /** The command. */
  readonly command: OrdinaryName;
  /** From a nexus that is not registered. */
  readonly stranger: string;
  /** From one that is, and has not made the reservation. */
  readonly registrant: string;
}

function row(command: OrdinaryName, stranger: string, registrant: string): AccessRow {
  return { command, stranger, registrant };
}

/** What touches the data. The write comes before UNMAP: the block is one of the scenarios'. */
export const DATA_ROWS: readonly AccessRow[] = [
  row("read", "+-+-+-", "+-++++"),
  row("write", "------", "--++++"),
  row("unmap", "------", "--++++"),
  row("synchronizeCache10", "------", "--++++"),
];

/** What asks about the device, or changes its state. START STOP UNIT never stops here: `active` leaves a disk running. */
export const DEVICE_ROWS: readonly AccessRow[] = [
  row("inquiry", "++++++", "++++++"),
  row("testUnitReady", "++++++", "++++++"),
  row("readCapacity10", "++++++", "++++++"),
  row("readCapacity16", "++++++", "++++++"),
  row("modeSense6", "+-+-+-", "+-++++"),
  row("start", "++++++", "++++++"),
  row("active", "------", "--++++"),
];

/** RESERVE(6) and RELEASE(6) where REPORT CAPABILITIES says CRH: GOOD without effect for those with access. */
export const RESERVE6_ROWS: readonly AccessRow[] = [
  row("reserve6", "------", "--++++"),
  row("release6", "------", "--++++"),
];

/** Whether a command is allowed. */
export function mayRun(row: AccessRow, standing: Standing, type: number): boolean {
  return standing === "holder" || row[standing][TYPES.indexOf(type)] === "+";
}

/**
 * Number of the step in which a scenario of the matrix sends a command: A registers and reserves, B sends all, B registers,
 * B sends all, A sends all.
 */
export function stepOf(rows: readonly AccessRow[], standing: Standing, command: OrdinaryName): number {
  const at = rows.findIndex((each) => each.command === command);
  if (at < 0) throw new RangeError(`${command} is not in this part of the matrix`);
  const before = { stranger: 2, registrant: 3 + rows.length, holder: 3 + 2 * rows.length };
  return before[standing] + at + 1;
}
