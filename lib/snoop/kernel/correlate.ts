/**
 * Puts the lines of one command together: who submitted it with which keys, what was dispatched, how it ended.
 * Pure: lines in, records out; the clock is the kernel's own.
 *
 *     probe (keys, by thread) --> start (CDB, address, tag) --> done | timeout
 *                                    ^         |
 *                                    +- error -+   the driver refused; another start follows, perhaps under another tag
 *
 * Keys are believed only when the CDB words of the probe equal the dispatched CDB. "Keys unknown" is a normal outcome.
 * Everything kept is bounded in number and age, whatever the lines say.
 *
 * @module
 */
import { equalBytes, toHex } from "../../bytes.ts";
import { type Submitted, type SubmittedKeys, submittedOf } from "./submitted.ts";
import { type DispatchLine, type TaskContext, type TraceLine, UNKNOWN_COMM } from "./trace_line.ts";

const PERSISTENT_RESERVE_OUT = 0x5f;
const CHECK_CONDITION = 0x02, BUSY = 0x08, TASK_SET_FULL = 0x28;
/** Host bytes after which the mid-layer sends a command again by itself. */
const RETRIED_HOSTS = ["DID_REQUEUE", "DID_IMM_RETRY", "DID_BUS_BUSY", "DID_SOFT_ERROR", "DID_TRANSPORT_DISRUPTED"];

/** One PERSISTENT RESERVE OUT this host sent, and how it ended. */
export interface KernelCommand {
  readonly kind: "command";
  /** Microseconds of CLOCK_MONOTONIC at which it ended. */
  readonly atUs: number;
  /** When it was handed to the driver; `null` when that line was not seen. */
  readonly startedUs: number | null;
  readonly hctl: string;
  readonly cdb: Uint8Array;
  /** As submitted; `null`: unknown. */
  readonly keys: SubmittedKeys | null;
  /** Who submitted it; `null` when only its end was seen. */
  readonly task: TaskContext | null;
  /** `done`: the device or driver answered. `timeout`: the mid-layer gave up waiting; a late `done` may follow. */
  readonly end: "done" | "timeout";
  /** An answer that came after a timeout had been reported. */
  readonly late: boolean;
  readonly status: number | null;
  readonly host: string | null;
  readonly sense: DispatchLine["sense"];
}

/** Another command met a conflict or a unit attention: somebody may have changed the LUN. */
export interface KernelHint {
  readonly kind: "hint";
  readonly atUs: number;
  readonly hctl: string;
  readonly cdb: Uint8Array;
  readonly status: number;
  readonly sense: DispatchLine["sense"];
}

/** What the lines add up to. */
export type KernelRecord =
  | KernelCommand
  | KernelHint
  | { readonly kind: "lost"; readonly cpu: number; readonly events: number | null }
  | { readonly kind: "marker"; readonly atUs: number; readonly text: string }
  | { readonly kind: "selfTest"; readonly probe: string; readonly nonce: bigint; readonly atUs: number };

/** CDB length of the self-test: refused by the kernel before dispatch, so never a real command's. */
export const SELF_TEST_CDB_LENGTH = 5;

/** A submission without a start after this was refused before dispatch. */
const SUBMISSION_AGE_US = 5_000_000;
/** A start on another thread may claim a submission this old at most. */
const ADOPTION_AGE_US = 1_000_000;
/** A command without an end after this is forgotten: longer than any timeout the mid-layer sets for PR OUT, twice. */
const FLIGHT_AGE_US = 600_000_000;
/** Most submissions, commands in flight, and commands to be repeated, that are kept. */
const MOST_KEPT = 1024;

interface Flight {
  readonly start: DispatchLine;
  readonly submitted: Submitted | null;
  timedOut: boolean;
}

/** Device numbers (`major << 20 | minor`) of all nodes of one address; undefined: not known, then any may be. */
export type DevicesOf = (hctl: string) => ReadonlySet<number> | undefined;

/** Correlates the lines of one trace instance, in the order of their stamps. */
export class Correlator {
  /** Oldest first. */
  #submissions: Submitted[] = [];
  /** By address, tag and CDB; insertion order is age. */
  readonly #flights = new Map<string, Flight>();
  /** Refused by the driver or to be retried by the mid-layer; by address and CDB. */
  readonly #repeats = new Map<string, { readonly submitted: Submitted; readonly atUs: number }>();
  /** Submissions that became a command and stay, as the kernel may repeat it: only their own thread gets them again. */
  readonly #used = new WeakSet<Submitted>();

  constructor(private readonly devicesOf: DevicesOf = () => undefined) {}

  /** How much is being kept, for tests and diagnosis. */
  get kept(): number {
    return this.#submissions.length + this.#flights.size + this.#repeats.size;
  }

  /** Takes the lines of one read; gives what they completed, in order of time. */
  take(lines: readonly TraceLine[]): KernelRecord[] {
    const records: KernelRecord[] = [];
    for (const line of inOrder(lines)) {
      const record = this.#one(line);
      if (record) records.push(record);
    }
    return records;
  }

  #one(line: TraceLine): KernelRecord | null {
    switch (line.kind) {
      case "lost":
      case "marker":
        return line;
      case "other":
        return null;
      case "probe": {
        const submitted = submittedOf(line);
        if (!submitted) return null;
        if (submitted.cdbLength === SELF_TEST_CDB_LENGTH) {
          return { kind: "selfTest", probe: submitted.probe.name, nonce: submitted.keys?.rk ?? 0n, atUs: line.atUs };
        }
        this.#submit(submitted);
        return null;
      }
      case "start":
        if (line.cdb[0] === PERSISTENT_RESERVE_OUT) this.#start(line);
        return null;
      case "error":
        this.#refused(line);
        return null;
      case "done":
      case "timeout":
        return line.cdb[0] === PERSISTENT_RESERVE_OUT ? this.#end(line) : hintOf(line);
    }
  }

  #submit(submitted: Submitted): void {
    this.#expire(submitted.atUs);
    // A thread is in one ioctl at a time, so what it submitted before is over. Asynchronous sg writes pile up.
    const over = (s: Submitted): boolean => s.task.tid === submitted.task.tid && s.probe.name !== "sg_write";
    if (this.#submissions.some(over)) this.#submissions = this.#submissions.filter((s) => !over(s));
    this.#submissions.push(submitted);
    if (this.#submissions.length > MOST_KEPT) this.#submissions.shift();
  }

  #start(line: DispatchLine): void {
    this.#expire(line.atUs);
    const key = flightKey(line);
    this.#flights.delete(key); // so that the insertion order stays the order of age
    this.#flights.set(key, { start: line, submitted: this.#submissionOf(line), timedOut: false });
    dropOldest(this.#flights);
  }

  #submissionOf(line: DispatchLine): Submitted | null {
    const devices = this.devicesOf(line.hctl);
    const fits = this.#submissions.filter((s) =>
      s.atUs <= line.atUs && describes(s, line.cdb) && (s.device === null || devices?.has(s.device) !== false)
    );
    const own = fits.find((s) => s.task.tid === line.tid);
    if (own) return this.#claim(own);
    const repeat = this.#repeats.get(commandKey(line));
    if (repeat) {
      this.#repeats.delete(commandKey(line));
      return repeat.submitted;
    }
    const young = fits.filter((s) => line.atUs - s.atUs < ADOPTION_AGE_US && !this.#used.has(s));
    return young.length === 1 ? this.#claim(young[0]!) : null;
  }

  /** A PR ioctl may send several commands, as the kernel retries a unit attention: its submission stays until then. */
  #claim(submitted: Submitted): Submitted {
    if (submitted.cdbHead === null) this.#used.add(submitted);
    else this.#drop(submitted);
    return submitted;
  }

  #drop(submitted: Submitted): void {
    const at = this.#submissions.indexOf(submitted);
    if (at >= 0) this.#submissions.splice(at, 1);
  }

  #refused(line: DispatchLine): void {
    const flight = this.#flights.get(flightKey(line));
    this.#flights.delete(flightKey(line));
    this.#willRepeat(line, flight?.submitted ?? null);
  }

  #end(line: DispatchLine): KernelCommand {
    const key = flightKey(line);
    const flight = this.#flights.get(key);
    const late = flight?.timedOut ?? false;
    if (line.kind === "timeout" && flight) flight.timedOut = true;
    else this.#flights.delete(key);
    if (flight?.submitted && line.kind === "done") {
      if (isRetried(line)) this.#willRepeat(line, flight.submitted);
      else if (line.status !== CHECK_CONDITION) this.#drop(flight.submitted);
    }
    return {
      kind: "command",
      atUs: line.atUs,
      startedUs: flight?.start.atUs ?? null,
      hctl: line.hctl,
      cdb: line.cdb,
      keys: flight?.submitted?.keys ?? null,
      task: taskOf(flight),
      end: line.kind === "timeout" ? "timeout" : "done",
      late,
      status: line.kind === "timeout" ? null : line.status,
      host: line.host,
      sense: line.sense,
    };
  }

  #willRepeat(line: DispatchLine, submitted: Submitted | null): void {
    if (!submitted) return;
    this.#repeats.delete(commandKey(line));
    this.#repeats.set(commandKey(line), { submitted, atUs: line.atUs });
    dropOldest(this.#repeats);
  }

  #expire(nowUs: number): void {
    const cut = this.#submissions.findIndex((s) => nowUs - s.atUs <= SUBMISSION_AGE_US);
    if (cut !== 0) this.#submissions = cut < 0 ? [] : this.#submissions.slice(cut);
    for (const [key, flight] of this.#flights) {
      if (nowUs - flight.start.atUs <= FLIGHT_AGE_US) break;
      this.#flights.delete(key);
    }
    for (const [key, { atUs }] of this.#repeats) {
      if (nowUs - atUs <= FLIGHT_AGE_US) break;
      this.#repeats.delete(key);
    }
  }
}

/** Lines with a stamp in the order of their stamps; those without keep their place after the line before them. */
function inOrder(lines: readonly TraceLine[]): TraceLine[] {
  let last = 0;
  const stamped = lines.map((line) => ({ line, at: "atUs" in line ? (last = line.atUs) : last }));
  return stamped.sort((a, b) => a.at - b.at).map(({ line }) => line);
}

/** True when this submission can have become that command. */
function describes(submitted: Submitted, cdb: Uint8Array): boolean {
  if (submitted.cdbHead !== null) return cdb.length >= 10 && equalBytes(submitted.cdbHead, cdb.subarray(0, 10));
  return submitted.probe.serviceActions?.includes(cdb[1]! & 0x1f) ?? false;
}

/** Answers after which the mid-layer sends the command again by itself. */
function isRetried(line: DispatchLine): boolean {
  return line.status === BUSY || line.status === TASK_SET_FULL || RETRIED_HOSTS.includes(line.host ?? "");
}

/** The submission's thread is the one that counts, unless the kernel had forgotten its name by then. */
function taskOf(flight: Flight | undefined): TaskContext | null {
  if (!flight) return null;
  const { start, submitted } = flight;
  if (!submitted) return start;
  const sameThread = submitted.task.tid === start.tid;
  return submitted.task.comm === UNKNOWN_COMM && sameThread ? start : submitted.task;
}

function hintOf(line: DispatchLine): KernelHint | null {
  if (line.kind !== "done" || line.status === null || line.status === 0) return null;
  const { atUs, hctl, cdb, status, sense } = line;
  return { kind: "hint", atUs, hctl, cdb, status, sense };
}

function commandKey(line: DispatchLine): string {
  return `${line.hctl} ${toHex(line.cdb)}`;
}

function flightKey(line: DispatchLine): string {
  return `${line.tag ?? "-"} ${commandKey(line)}`;
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size <= MOST_KEPT) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
