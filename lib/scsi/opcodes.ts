/**
 * Names of SCSI commands by operation code: those prmig sends, and those a guest or a path checker is seen sending.
 *
 * Pure data. Sources: SPC-4 and SBC-3, "Operation codes".
 *
 * @module
 */

/** Operation codes that decide something. */
export const OPCODE = {
  testUnitReady: 0x00,
  requestSense: 0x03,
  inquiry: 0x12,
  reportLuns: 0xa0,
} as const;

const OPCODE_NAMES = new Map<number, string>([
  [OPCODE.testUnitReady, "TEST UNIT READY"],
  [OPCODE.requestSense, "REQUEST SENSE"],
  [0x04, "FORMAT UNIT"],
  [0x08, "READ(6)"],
  [0x0a, "WRITE(6)"],
  [OPCODE.inquiry, "INQUIRY"],
  [0x15, "MODE SELECT(6)"],
  [0x16, "RESERVE(6)"],
  [0x17, "RELEASE(6)"],
  [0x1a, "MODE SENSE(6)"],
  [0x1b, "START STOP UNIT"],
  [0x1d, "SEND DIAGNOSTIC"],
  [0x1e, "PREVENT ALLOW MEDIUM REMOVAL"],
  [0x25, "READ CAPACITY(10)"],
  [0x28, "READ(10)"],
  [0x2a, "WRITE(10)"],
  [0x2e, "WRITE AND VERIFY(10)"],
  [0x2f, "VERIFY(10)"],
  [0x35, "SYNCHRONIZE CACHE(10)"],
  [0x41, "WRITE SAME(10)"],
  [0x42, "UNMAP"],
  [0x4d, "LOG SENSE"],
  [0x55, "MODE SELECT(10)"],
  [0x56, "RESERVE(10)"],
  [0x57, "RELEASE(10)"],
  [0x5a, "MODE SENSE(10)"],
  [0x5e, "PERSISTENT RESERVE IN"],
  [0x5f, "PERSISTENT RESERVE OUT"],
  [0x83, "EXTENDED COPY"],
  [0x88, "READ(16)"],
  [0x89, "COMPARE AND WRITE"],
  [0x8a, "WRITE(16)"],
  [0x8f, "VERIFY(16)"],
  [0x91, "SYNCHRONIZE CACHE(16)"],
  [0x93, "WRITE SAME(16)"],
  [0x9e, "SERVICE ACTION IN(16)"],
  [OPCODE.reportLuns, "REPORT LUNS"],
  [0xa3, "MAINTENANCE IN"],
  [0xa4, "MAINTENANCE OUT"],
  [0xa8, "READ(12)"],
  [0xaa, "WRITE(12)"],
]);

/** "INQUIRY", or "command C5h" for a code without a name. */
export function opcodeName(opcode: number): string {
  return OPCODE_NAMES.get(opcode) ?? `command ${opcode.toString(16).toUpperCase().padStart(2, "0")}h`;
}
