/**
 * One line of `trace_pipe`, taken apart. Pure: text in, record out.
 *
 *      sg_persist-150 (    147) [000] ..... 13.269972: scsi_dispatch_cmd_start: host_no=1 ... raw=5f 01 05 ...
 *     |comm, 16 wide |tid |tgid    |cpu |flags |seconds  |event                 |fields
 *
 * Fields are found by name, never by place: kernels add, drop and reorder them. A line that is none of ours, or was
 * torn by a comm with a line break in it, gives `other`; nothing here throws.
 *
 * Text is expected as Latin-1 (a character a byte): a comm may hold any byte, and the kernel aligns by bytes.
 *
 * Source: Linux trace_print_context(), include/trace/events/scsi.h, print_type functions of trace_probe.c.
 *
 * @module
 */

/** Who was running on the CPU when the line was written. */
export interface TaskContext {
  /** Command name; may hold any character but NUL. */
  readonly comm: string;
  /** Thread id. */
  readonly tid: number;
  /** Process id; `null` when the kernel did not record it. */
  readonly tgid: number | null;
}

/** What the kernel prints for a process whose name it has not kept. */
export const UNKNOWN_COMM = "<...>";

/** Words of a probe line, by the names of {@link import("./probes.ts")}. */
export interface ProbeLine extends TaskContext {
  readonly kind: "probe";
  /** Microseconds of CLOCK_MONOTONIC. */
  readonly atUs: number;
  readonly probe: string;
  /** Values as printed, `0x` numbers included; what could not be read as a number is absent. */
  readonly words: ReadonlyMap<string, bigint>;
}

/** A command handed to, refused by, or answered by the low-level driver. */
export interface DispatchLine extends TaskContext {
  readonly kind: "start" | "done" | "error" | "timeout";
  readonly atUs: number;
  /** `host:channel:id:lun`. */
  readonly hctl: string;
  /** Block layer tag that ties `done` to `start`; `null` on kernels that do not print it. */
  readonly tag: number | null;
  readonly cdb: Uint8Array;
  /** SAM status byte; `null` when the line has none that is known. */
  readonly status: number | null;
  /** Host byte as the kernel names it, `DID_OK` included; `null` when absent. */
  readonly host: string | null;
  /** Sense triple, printed by Linux 6.6 and newer. */
  readonly sense: { readonly key: number; readonly asc: number; readonly ascq: number } | null;
}

/** What a line of trace_pipe can be. */
export type TraceLine =
  | ProbeLine
  | DispatchLine
  | { readonly kind: "lost"; readonly cpu: number; readonly events: number | null }
  | { readonly kind: "marker"; readonly atUs: number; readonly text: string }
  | { readonly kind: "other" };

/** SAM-5 status bytes by the kernel's names. */
const SAM_STATUS: Readonly<Record<string, number>> = {
  SAM_STAT_GOOD: 0x00,
  SAM_STAT_CHECK_CONDITION: 0x02,
  SAM_STAT_CONDITION_MET: 0x04,
  SAM_STAT_BUSY: 0x08,
  SAM_STAT_INTERMEDIATE: 0x10,
  SAM_STAT_INTERMEDIATE_CONDITION_MET: 0x14,
  SAM_STAT_RESERVATION_CONFLICT: 0x18,
  SAM_STAT_COMMAND_TERMINATED: 0x22,
  SAM_STAT_TASK_SET_FULL: 0x28,
  SAM_STAT_ACA_ACTIVE: 0x30,
  SAM_STAT_TASK_ABORTED: 0x40,
};

const DISPATCH: Readonly<Record<string, DispatchLine["kind"]>> = {
  scsi_dispatch_cmd_start: "start",
  scsi_dispatch_cmd_done: "done",
  scsi_dispatch_cmd_error: "error",
  scsi_dispatch_cmd_timeout: "timeout",
};

/** Columns the kernel gives a comm (`%16s`). */
const COMM_WIDTH = 16;
const LONGEST_LINE = 4096;
const OTHER: TraceLine = { kind: "other" };

const LOST = /^CPU:(\d{1,6}) \[LOST (?:(\d{1,15}) )?EVENTS\]/;
const CONTEXT =
  /^-(\d{1,10})\s+(?:\(\s*(\d{1,10}|-+)\)\s+)?\[\d{1,6}\]\s+(?:\S{1,8}\s+)?(\d{1,12})\.(\d{6}):\s(\w{1,64}):\s?/;

/** Takes one line apart. Total: any text gives a record. */
export function parseTraceLine(line: string): TraceLine {
  if (line.length > LONGEST_LINE) return OTHER;
  const lost = LOST.exec(line);
  if (lost) return { kind: "lost", cpu: Number(lost[1]), events: lost[2] === undefined ? null : Number(lost[2]) };
  const context = contextOf(line);
  if (!context) return OTHER;
  const { task, atUs, event, body } = context;
  const kind = DISPATCH[event];
  if (kind) return dispatchLine(kind, task, atUs, body);
  if (event === "tracing_mark_write") return { kind: "marker", atUs, text: body };
  return { kind: "probe", ...task, atUs, probe: event, words: wordsOf(body) };
}

interface Context {
  readonly task: TaskContext;
  readonly atUs: number;
  readonly event: string;
  readonly body: string;
}

/** The comm is 16 bytes wide by rule; shortened lines (a person's notes) are found by the first `-` that fits. */
function contextOf(line: string): Context | null {
  for (let dash = line[COMM_WIDTH] === "-" ? COMM_WIDTH : line.indexOf("-"); dash >= 0 && dash <= COMM_WIDTH;) {
    const match = CONTEXT.exec(line.slice(dash));
    if (match) {
      const [all, tid, tgid, seconds, micros, event] = match;
      return {
        task: {
          comm: line.slice(0, dash).trimStart(),
          tid: Number(tid),
          tgid: /^\d/.test(tgid ?? "") ? Number(tgid) : null,
        },
        atUs: Number(seconds) * 1_000_000 + Number(micros),
        event: event!,
        body: line.slice(dash + all.length),
      };
    }
    dash = line.indexOf("-", dash + 1);
  }
  return null;
}

function dispatchLine(kind: DispatchLine["kind"], task: TaskContext, atUs: number, body: string): TraceLine {
  const address = ["host_no", "channel", "id", "lun"].map((name) =>
    new RegExp(`\\b${name}=(\\d{1,20})\\b`).exec(body)?.[1]
  );
  const raw = /\braw=((?:[0-9a-f]{2}(?: |(?=\))))+)\)/.exec(body)?.[1];
  if (address.includes(undefined) || raw === undefined) return OTHER;
  const cdb = Uint8Array.from(raw.trim().split(" "), (pair) => parseInt(pair, 16));
  const tag = /\bdriver_tag=(-?\d{1,10})\b/.exec(body)?.[1];
  const sense = /\bsense=\(key=(0x[0-9a-f]{1,2}|\d{1,3}) asc=(0x[0-9a-f]{1,2}|\d{1,3}) ascq=(0x[0-9a-f]{1,2}|\d{1,3})\)/
    .exec(body);
  const status = /\bstatus=(\w{1,40})/.exec(body)?.[1];
  return {
    kind,
    ...task,
    atUs,
    hctl: address.join(":"),
    tag: tag === undefined ? null : Number(tag),
    cdb,
    status: status === undefined ? null : SAM_STATUS[status] ?? byteOf(status),
    host: /\bhost=(\w{1,40})/.exec(body)?.[1] ?? null,
    sense: sense ? { key: Number(sense[1]), asc: Number(sense[2]), ascq: Number(sense[3]) } : null,
  };
}

/** The kernel prints a status it has no name for as a number. */
function byteOf(text: string): number | null {
  const value = /^(?:0x[0-9a-f]{1,2}|\d{1,3})$/.test(text) ? Number(text) : NaN;
  return value <= 0xff ? value : null;
}

function wordsOf(body: string): ReadonlyMap<string, bigint> {
  const words = new Map<string, bigint>();
  for (const match of body.matchAll(/(?:^|\s)(\w{1,32})=(0x[0-9a-f]{1,16}|-?\d{1,20})(?=\s|$)/g)) {
    words.set(match[1]!, BigInt(match[2]!));
  }
  return words;
}
