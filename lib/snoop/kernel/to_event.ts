/**
 * Kernel records as events. Pure: the clocks' difference and the paths come in.
 *
 * @module
 */
import { PR_OUT_ACTION, prOutActionName } from "../../pr/cdb.ts";
import { opcodeName } from "../../scsi/opcodes.ts";
import { describeSense } from "../../scsi/sense.ts";
import { describeStatus } from "../../scsi/status.ts";
import type { PrEvent } from "../event.ts";
import { isoMicros } from "../stamp.ts";
import type { KernelCommand, KernelHint } from "./correlate.ts";
import type { KernelPath } from "./paths.ts";
import { type TaskContext, UNKNOWN_COMM } from "./trace_line.ts";

/** Actions that use the SERVICE ACTION RESERVATION KEY; the others carry whatever their sender left there. */
const USES_SARK: readonly number[] = [
  PR_OUT_ACTION.register,
  PR_OUT_ACTION.preempt,
  PR_OUT_ACTION.preemptAndAbort,
  PR_OUT_ACTION.registerAndIgnore,
  PR_OUT_ACTION.registerAndMove,
  PR_OUT_ACTION.replaceLost,
];
/** Actions whose TYPE field means something. */
const USES_TYPE: readonly number[] = [
  PR_OUT_ACTION.reserve,
  PR_OUT_ACTION.release,
  PR_OUT_ACTION.preempt,
  PR_OUT_ACTION.preemptAndAbort,
  PR_OUT_ACTION.replaceLost,
];
const CHECK_CONDITION = 0x02, RESERVATION_CONFLICT = 0x18, UNIT_ATTENTION = 6;

/** A PERSISTENT RESERVE OUT the kernel sent. `toWallUs` turns its stamps into microseconds since 1970. */
export function commandEvent(command: KernelCommand, path: KernelPath, toWallUs: (us: number) => number): PrEvent {
  const action = (command.cdb[1] ?? 0) & 0x1f;
  const notes = [
    ...(command.late ? ["answered after it had been given up"] : []),
    ...(command.keys === null ? ["keys unknown"] : []),
  ];
  return {
    time: isoMicros(toWallUs(command.atUs)),
    device: path.device,
    event: "prOut",
    source: "kernel",
    serviceAction: prOutActionName(action),
    status: statusOf(command),
    key: command.keys?.rk ?? null,
    newKey: USES_SARK.includes(action) ? command.keys?.sark ?? null : null,
    type: USES_TYPE.includes(action) ? (command.cdb[2] ?? 0) & 0x0f : null,
    before: null,
    after: null,
    ...whereOf(path),
    ...(command.startedUs === null ? {} : { startedUs: command.startedUs }),
    endedUs: command.atUs,
    ...(command.task ? senderOf(command.task) : {}),
    ...(command.status === null ? {} : { statusByte: command.status }),
    ...(notes.length > 0 ? { note: notes.join("; ") } : {}),
  };
}

/** What another command's ending tells; `null` when it may mean anything (a check condition without its sense). */
export function hintEvent(hint: KernelHint, path: KernelPath, toWallUs: (us: number) => number): PrEvent | null {
  const attention = hint.sense?.key === UNIT_ATTENTION;
  if (hint.status !== RESERVATION_CONFLICT && !attention) return null;
  return {
    time: isoMicros(toWallUs(hint.atUs)),
    device: path.device,
    event: attention ? "unitAttention" : "conflict",
    source: "kernel",
    serviceAction: null,
    status: attention ? senseText(hint.sense!) : describeStatus(hint.status),
    key: null,
    newKey: null,
    type: null,
    before: null,
    after: null,
    ...whereOf(path),
    endedUs: hint.atUs,
    statusByte: hint.status,
    note: opcodeName(hint.cdb[0] ?? 0),
  };
}

function whereOf({ lun, hctl, devno }: KernelPath): Pick<PrEvent, "lun" | "hctl" | "devno"> {
  return { ...(lun === null ? {} : { lun }), hctl, ...(devno === null ? {} : { devno }) };
}

function senderOf({ tgid, tid, comm }: TaskContext): Pick<PrEvent, "pid" | "program"> {
  return { pid: tgid ?? tid, ...(comm === UNKNOWN_COMM ? {} : { program: utf8Of(comm) }) };
}

function statusOf({ end, status, host, sense }: KernelCommand): string {
  if (end === "timeout") return "timeout";
  if (host !== null && host !== "DID_OK" && status === 0) return `host status ${host.replace(/^DID_/, "")}`;
  if (status === null) return "status unknown";
  return status === CHECK_CONDITION && sense ? senseText(sense) : describeStatus(status);
}

function senseText({ key, asc, ascq }: { key: number; asc: number; ascq: number }): string {
  return describeSense({ format: "fixed", deferred: false, key, asc, ascq });
}

/** Trace lines are read a character a byte; what a process calls itself is mostly UTF-8. */
function utf8Of(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  return new TextDecoder().decode(Uint8Array.from(latin1, (character) => character.charCodeAt(0)));
}
