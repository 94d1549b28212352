/**
 * One command to one nexus, and what came of it in a word. Shared by everything here that talks to a LUN.
 *
 * @module
 */
import { prInCdb } from "../pr/cdb.ts";
import type { Nexus, Reply } from "../pr/nexus.ts";
import { decodeSense, senseCode } from "../scsi/sense.ts";
import { STATUS } from "../scsi/status.ts";
import type { Result } from "./scenario.ts";

/** Milliseconds a command of a scenario may take; emulated machines are slow. */
export const COMMAND_TIMEOUT_MS = 30_000;

/** Sends a command; see `Nexus.execute` for `data`. */
export function send(nexus: Nexus, cdb: Uint8Array, data: Uint8Array | number): Promise<Reply> {
  return nexus.execute(cdb, data, { timeoutMs: COMMAND_TIMEOUT_MS });
}

/** Sends a PERSISTENT RESERVE IN. */
export function sendIn(nexus: Nexus, action: number, allocationLength: number): Promise<Reply> {
  return send(nexus, prInCdb(action, allocationLength), allocationLength);
}

/** The result of a reply in a word. */
export function resultOf(reply: Reply): Result {
  if (reply.status === STATUS.reservationConflict) return "conflict";
  if (reply.status === STATUS.checkCondition) {
    const sense = decodeSense(reply.sense);
    return sense === null ? "check without sense" : senseCode(sense);
  }
  if ((reply.hostStatus ?? 0) !== 0) return "lost";
  switch (reply.status) {
    case STATUS.good:
      return "good";
    case STATUS.busy:
      return "busy";
    case STATUS.taskSetFull:
      return "taskSetFull";
    default:
      return `status ${reply.status.toString(16).toUpperCase().padStart(2, "0")}h`;
  }
}
