/**
 * What an SG_IO came to, in the words of the pr-helper protocol: a SCSI status and sense for every ending there is. Pure.
 *
 * The order is the stock program's: error of the call, host status, driver timeout, the device's own status. One thing is
 * not: a host status it does not know becomes 0B/08/00 here, never GOOD: a PR OUT that never arrived is not done.
 *
 * @module
 */
import type { Reply } from "../pr/nexus.ts";
import { encodeSense } from "../scsi/sense.ts";
import { STATUS } from "../scsi/status.ts";
import { type HelperAnswer, WIRE } from "./helper_protocol.ts";

type SenseCode = readonly [key: number, asc: number, ascq: number];

const IO_ERROR: SenseCode = [0x0b, 0x00, 0x06];
const LOGICAL_UNIT_COMMUNICATION: SenseCode = [0x0b, 0x08, 0x00];
const INTERNAL_FAILURE: SenseCode = [0x04, 0x44, 0x00];

/** Linux errno of the ioctl -> a bare status, or sense. */
const BY_ERRNO: Readonly<Record<number, number | SenseCode>> = {
  52: STATUS.reservationConflict, // EBADE: the block layer's word for it
  33: STATUS.taskSetFull, // EDOM
  22: [0x05, 0x24, 0x00], // EINVAL
  12: INTERNAL_FAILURE, // ENOMEM
  19: INTERNAL_FAILURE, // ENODEV
  121: INTERNAL_FAILURE, // EREMOTEIO
  61: [0x03, 0x11, 0x00], // ENODATA
  123: [0x02, 0x3a, 0x00], // ENOMEDIUM
  28: [0x07, 0x27, 0x07], // ENOSPC
};

/** Linux host status (DID_*) -> a bare status, or sense. */
const BY_HOST_STATUS: Readonly<Record<number, number | SenseCode>> = {
  0x01: [0x0b, 0x05, 0x00], // no connect
  0x02: STATUS.busy,
  0x03: [0x0b, 0x2e, 0x02], // timeout
  0x04: LOGICAL_UNIT_COMMUNICATION, // bad response
  0x05: [0x0b, 0x2f, 0x02], // aborted
  0x08: [0x06, 0x29, 0x00], // reset
  0x0e: [0x0b, 0x29, 0x07], // transport disrupted
  0x10: INTERNAL_FAILURE, // target failure
  0x11: STATUS.reservationConflict, // nexus failure
  0x12: [0x07, 0x27, 0x07], // allocation failure
  0x13: [0x03, 0x11, 0x00], // medium error
};

const DRIVER_TIMEOUT = 0x06;
const NOTHING = new Uint8Array();

/** Answer to a command the kernel refused: `errno` positive or negative. */
export function answerForErrno(errno: number): HelperAnswer {
  return answerFor(BY_ERRNO[Math.abs(errno)] ?? IO_ERROR);
}

/** Answer to a command that came back: the device's own wherever the transport left it one. */
export function answerForReply(reply: Reply): HelperAnswer {
  const host = reply.hostStatus ?? 0;
  if (host !== 0) return answerFor(BY_HOST_STATUS[host] ?? LOGICAL_UNIT_COMMUNICATION);
  if (((reply.driverStatus ?? 0) & DRIVER_TIMEOUT) !== 0) return answerFor(STATUS.busy);
  return { status: reply.status, sense: reply.sense.subarray(0, WIRE.sense), data: reply.dataIn };
}

/** CHECK CONDITION with 18 bytes of fixed-format sense. */
export function checkCondition(key: number, asc: number, ascq: number): HelperAnswer {
  return { status: STATUS.checkCondition, sense: encodeSense(key, asc, ascq), data: NOTHING };
}

/** BUSY: send it again later. */
export const BUSY_ANSWER: HelperAnswer = { status: STATUS.busy, sense: NOTHING, data: NOTHING };
/** 05/20/00, the answer to a PR OUT on a descriptor that was opened read-only. */
export const READ_ONLY_ANSWER: HelperAnswer = checkCondition(0x05, 0x20, 0x00);

function answerFor(meaning: number | SenseCode): HelperAnswer {
  return typeof meaning === "number" ? { status: meaning, sense: NOTHING, data: NOTHING } : checkCondition(...meaning);
}
