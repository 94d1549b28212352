/**
 * What to tell when reading a LUN's reservations fails. Only reads were sent, so the LUN is as it was.
 *
 * @module
 */
import { type FailureFacts, type FailureKind, PrmigError } from "../errors.ts";
import { describeOutcome, type Outcome } from "../scsi/outcome.ts";

/** What is true of the LUN after any number of reads. */
export const READS_ONLY = "unchanged: only reads were sent";

/** True when the device does not know the command (05/20/00). */
export function isUnknownCommand(outcome: Outcome): boolean {
  return outcome.kind === "refused" && outcome.sense.asc === 0x20 && outcome.sense.ascq === 0x00;
}

/** True when the device does not know the command or this service action of it (05/20/00, 05/24/00). */
export function isUnsupported(outcome: Outcome): boolean {
  return isUnknownCommand(outcome) ||
    (outcome.kind === "refused" && outcome.sense.asc === 0x24 && outcome.sense.ascq === 0x00);
}

/** The error for a read that did not end in GOOD. */
export function readFailure(address: string, command: string, outcome: Outcome): PrmigError {
  const status = describeOutcome(outcome);
  const failure = (kind: FailureKind, message: string, remedy: string): PrmigError =>
    new PrmigError(kind, { message, device: address, command, status, lun: READS_ONLY, remedy } satisfies FailureFacts);
  if (isUnknownCommand(outcome)) {
    const message = `Cannot read the reservations of ${address}: it has no persistent reservations (${status})`;
    return failure(
      "device",
      message,
      "switch persistent reservations on in the target (LIO: emulate_pr), or use another LUN",
    );
  }
  const message = `Cannot read the reservations of ${address}: ${command} ended in ${status}`;
  switch (outcome.kind) {
    case "conflict":
      return failure("refused", message, "let the initiator that holds an SPC-2 RESERVE on this LUN release it");
    case "busy":
    case "unitAttention":
      return failure("failed", message, "run the command again when the device is ready");
    case "unknown":
      return failure("device", message, `check the path to ${address} (dmesg), then run the command again`);
    default:
      return failure("device", message, "use a LUN that supports persistent reservations as SPC-3 or later have them");
  }
}

/** The error for an answer that contradicts itself; `cause` is the decoder's typed error. */
export function unreadable(address: string, command: string, cause: Error): PrmigError {
  return new PrmigError("device", {
    message: `Cannot read the reservations of ${address}: ${command} answered what cannot be: ${cause.message}`,
    device: address,
    command,
    lun: READS_ONLY,
    remedy: `look at the answer itself with sg_persist -H on ${address}, and tell the device's vendor`,
  }, { cause });
}

/** The error for a LUN whose generation never stood still between two reads. */
export function restless(address: string, tries: number): PrmigError {
  return new PrmigError("failed", {
    message: `Cannot read the reservations of ${address}: they changed between two reads, ${tries} times in a row`,
    device: address,
    command: "PERSISTENT RESERVE IN",
    lun: `${READS_ONLY}; another initiator keeps changing it`,
    remedy: "find out who keeps registering (prmig watch), then run the command again",
  });
}
