/**
 * SCSI status bytes, and the Linux host and driver bytes that come beside them, by number and by name.
 *
 * Pure. Sources: SAM-5, "Status codes"; Linux `DID_*` and `DRIVER_*`.
 *
 * @module
 */

/** SAM status codes that occur. */
export const STATUS = {
  good: 0x00,
  checkCondition: 0x02,
  conditionMet: 0x04,
  busy: 0x08,
  reservationConflict: 0x18,
  taskSetFull: 0x28,
  acaActive: 0x30,
  taskAborted: 0x40,
} as const;

const STATUS_NAMES = new Map<number, string>([
  [STATUS.good, "GOOD"],
  [STATUS.checkCondition, "CHECK CONDITION"],
  [STATUS.conditionMet, "CONDITION MET"],
  [STATUS.busy, "BUSY"],
  [STATUS.reservationConflict, "RESERVATION CONFLICT"],
  [STATUS.taskSetFull, "TASK SET FULL"],
  [STATUS.acaActive, "ACA ACTIVE"],
  [STATUS.taskAborted, "TASK ABORTED"],
]);

/** Linux host bytes (`DID_*`) that decide something. */
export const HOST = {
  ok: 0x00,
  noConnect: 0x01,
  busBusy: 0x02,
  timeOut: 0x03,
  targetFailure: 0x10,
  nexusFailure: 0x11,
  allocFailure: 0x12,
  mediumError: 0x13,
} as const;

const HOST_NAMES = [
  "OK",
  "NO_CONNECT",
  "BUS_BUSY",
  "TIME_OUT",
  "BAD_TARGET",
  "ABORT",
  "PARITY",
  "ERROR",
  "RESET",
  "BAD_INTR",
  "PASSTHROUGH",
  "SOFT_ERROR",
  "IMM_RETRY",
  "REQUEUE",
  "TRANSPORT_DISRUPTED",
  "TRANSPORT_FAILFAST",
  "TARGET_FAILURE",
  "NEXUS_FAILURE",
  "ALLOC_FAILURE",
  "MEDIUM_ERROR",
  "TRANSPORT_MARGINAL",
] as const;

/** Linux driver bytes that decide something. */
export const DRIVER = { ok: 0x00, timeout: 0x06, sense: 0x08 } as const;

const DRIVER_NAMES = ["OK", "BUSY", "SOFT", "MEDIA", "ERROR", "INVALID", "TIMEOUT", "HARD", "SENSE"] as const;

/** "RESERVATION CONFLICT", or "status 99h" for a code without a name. */
export function describeStatus(status: number): string {
  return STATUS_NAMES.get(status) ?? `status ${hexByte(status)}`;
}

/** "host status TIME_OUT (03h)". */
export function describeHostStatus(hostStatus: number): string {
  return `host status ${HOST_NAMES[hostStatus] ?? "of no known name"} (${hexByte(hostStatus)})`;
}

/** "driver status TIMEOUT (06h)"; the upper half ("suggestions" of old kernels) takes no part in the name. */
export function describeDriverStatus(driverStatus: number): string {
  return `driver status ${DRIVER_NAMES[driverStatus & 0x0f] ?? "of no known name"} (${hexByte(driverStatus)})`;
}

function hexByte(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0") + "h";
}
