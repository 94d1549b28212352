/**
 * Sense as the simulated LUN speaks it: three numbers, turned into bytes only where they leave. Pure.
 *
 * @module
 */

/** Sense key, additional sense code, its qualifier. */
export type SenseCode = readonly [key: number, asc: number, ascq: number];

/** Senses used in several places. */
export const SENSE = {
  logicalUnitCommunicationFailure: [2, 0x08, 0x00],
  listLengthError: [5, 0x1a, 0x00],
  invalidOpcode: [5, 0x20, 0x00],
  lbaOutOfRange: [5, 0x21, 0x00],
  invalidFieldInCdb: [5, 0x24, 0x00],
  invalidFieldInList: [5, 0x26, 0x00],
  invalidRelease: [5, 0x26, 0x04],
  insufficientRegistrations: [5, 0x55, 0x04],
  reservationInformationLost: [7, 0x44, 0x01],
  miscompare: [14, 0x1d, 0x00],
} as const satisfies Record<string, SenseCode>;
