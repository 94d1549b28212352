/**
 * Explains status bytes and sense data. Pure.
 *
 * @module
 */
import { toHex } from "../../bytes.ts";
import { decodeSense, describeSense, type Sense, senseCode } from "../../scsi/sense.ts";
import { describeStatus, STATUS } from "../../scsi/status.ts";
import type { Explanation } from "./explanation.ts";
import { CONFLICT_NOTE, senseNotes } from "./meaning.ts";

/** Explains sense data; null for bytes that are none. */
export function explainSense(bytes: Uint8Array): Explanation | null {
  const sense = decodeSense(bytes);
  if (sense === null) return null;
  const format = `${sense.format} format, ${sense.deferred ? "deferred from an earlier command" : "current"}`;
  return { ...senseExplanation(sense), rows: [["SENSE DATA", toHex(bytes, " ")], ["FORMAT", format]] };
}

/** Explains a sense key with its additional sense code. */
export function explainSenseCode(key: number, asc: number, ascq: number): Explanation {
  return senseExplanation({ format: "fixed", deferred: false, key, asc, ascq });
}

function senseExplanation(sense: Sense): Explanation {
  return {
    title: `sense: ${describeSense(sense)}`,
    rows: [],
    notes: senseNotes(sense),
    facts: { kind: "sense", code: senseCode(sense), ...sense },
  };
}

/** Explains a SAM status byte; null for a code without a name. */
export function explainStatus(status: number): Explanation | null {
  const name = describeStatus(status);
  if (name.startsWith("status ")) return null;
  const notes = status === STATUS.reservationConflict ? [CONFLICT_NOTE] : [];
  return { title: `status: ${name}`, rows: [], notes, facts: { kind: "status", status, name } };
}
