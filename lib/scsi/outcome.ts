/**
 * Outcome of a command: what a reply says about whether it was executed, and so what may be done next.
 *
 * Pure. The one rule behind the table: "unknown" is neither success nor failure. It is resolved by reading the LUN,
 * never by repeating a PERSISTENT RESERVE OUT.
 *
 *   good           executed
 *   conflict       not executed, final (unless it answers the repeat of a command whose outcome was unknown)
 *   unitAttention  not executed, send again
 *   busy           not executed, send again after a pause
 *   refused        not executed, final: a defect of ours or something the device cannot do
 *   unknown        read the LUN
 *
 * @module
 */
import { SENSE_KEY } from "./asc.ts";
import { decodeSense, describeSense, type Sense } from "./sense.ts";
import { describeDriverStatus, describeHostStatus, describeStatus, DRIVER, HOST, STATUS } from "./status.ts";

/** What {@link classify} looks at; the shape of a Nexus' reply without its data. */
export interface Ending {
  /** SAM status byte. */
  readonly status: number;
  /** Sense data as delivered; empty when there was none. */
  readonly sense: Uint8Array;
  /** Linux host byte (DID_*); 0 when left out. */
  readonly hostStatus?: number;
  /** Linux driver byte; 0 when left out. */
  readonly driverStatus?: number;
}

/** What became of a command. */
export type Outcome =
  | { readonly kind: "good" }
  | { readonly kind: "conflict" }
  | { readonly kind: "unitAttention"; readonly sense: Sense }
  | { readonly kind: "busy"; readonly status: number; readonly why: string }
  | { readonly kind: "refused"; readonly sense: Sense }
  | { readonly kind: "unknown"; readonly why: string; readonly sense?: Sense | null };

/** Host bytes that only repeat what status and sense already say, when those are there. */
const HOST_BESIDE_SENSE: readonly number[] = [HOST.targetFailure, HOST.allocFailure, HOST.mediumError];

/** Classifies a reply. Never throws. */
export function classify(reply: Ending): Outcome {
  const host = reply.hostStatus ?? HOST.ok;
  // NEXUS_FAILURE is how some kernels pass a conflict on, with the status byte beside it or without.
  if (reply.status === STATUS.reservationConflict || host === HOST.nexusFailure) return { kind: "conflict" };
  if (host === HOST.busBusy) return { kind: "busy", status: reply.status, why: describeHostStatus(host) };
  const senseSpeaks = reply.status === STATUS.checkCondition && HOST_BESIDE_SENSE.includes(host);
  if (host !== HOST.ok && !senseSpeaks) return { kind: "unknown", why: describeHostStatus(host) };
  const driver = (reply.driverStatus ?? DRIVER.ok) & 0x0f;
  if (driver !== DRIVER.ok && driver !== DRIVER.sense) {
    return { kind: "unknown", why: describeDriverStatus(reply.driverStatus ?? 0) };
  }
  return classifyStatus(reply);
}

function classifyStatus({ status, sense }: Ending): Outcome {
  switch (status) {
    case STATUS.good:
    case STATUS.conditionMet:
      return { kind: "good" };
    case STATUS.busy:
    case STATUS.taskSetFull:
    case STATUS.acaActive:
      return { kind: "busy", status, why: describeStatus(status) };
    case STATUS.checkCondition:
      return classifySense(decodeSense(sense));
    default:
      return { kind: "unknown", why: describeStatus(status) };
  }
}

function classifySense(sense: Sense | null): Outcome {
  if (!sense) return { kind: "unknown", why: "CHECK CONDITION without usable sense data", sense };
  if (sense.deferred) return { kind: "unknown", why: describeSense(sense), sense };
  switch (sense.key) {
    case SENSE_KEY.recoveredError:
      return { kind: "good" }; // done, and the device had to work for it
    case SENSE_KEY.unitAttention:
      return { kind: "unitAttention", sense };
    case SENSE_KEY.illegalRequest:
    case SENSE_KEY.dataProtect:
      return { kind: "refused", sense };
    case SENSE_KEY.notReady:
      // 02/04/xx says why the LUN cannot work yet. LIO ends a REGISTER it did execute in 02/08/00.
      if (sense.asc === 0x04) return { kind: "busy", status: STATUS.checkCondition, why: describeSense(sense) };
      return { kind: "unknown", why: describeSense(sense), sense };
    default:
      return { kind: "unknown", why: describeSense(sense), sense };
  }
}

/** The outcome in words: "GOOD", "RESERVATION CONFLICT", "UNIT ATTENTION, ... (06/2A/05)", "outcome unknown: ...". */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "good":
      return describeStatus(STATUS.good);
    case "conflict":
      return describeStatus(STATUS.reservationConflict);
    case "unitAttention":
    case "refused":
      return describeSense(outcome.sense);
    case "busy":
      return outcome.why;
    case "unknown":
      return `outcome unknown: ${outcome.why}`;
  }
}
