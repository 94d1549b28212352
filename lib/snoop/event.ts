/**
 * The event: one thing that happened to the reservation of a LUN, told alike by whoever saw it.
 *
 * Three witnesses write events: `kernel` (every PR OUT this host sends, keys where probes exist), `helper` (guests' PR
 * OUTs through `prmig snoop`, keys exact), `poll` (the LUN before and after, whoever changed it). The JSON form is a
 * contract: one object a line, fields may be added, never renamed. Pure: values in, text out, and back.
 *
 * Joining: a PR OUT seen by the kernel and by the helper is one event. Both carry the device number and CLOCK_MONOTONIC
 * microseconds; the kernel's completion lies between the helper's `startedUs` and `endedUs`.
 *
 * @module
 */
import { formatKey, parseKey } from "../pr/types.ts";

/** Who saw it. */
export type EventSource = "kernel" | "helper" | "poll";

/**
 * What happened.
 *
 * - `prOut`: a PERSISTENT RESERVE OUT ended, well or not
 * - `change`: registrations or reservation differ from what was last seen
 * - `unitAttention`: the LUN told this nexus that something happened behind its back
 * - `conflict`: a command other than PR OUT ended in RESERVATION CONFLICT
 * - `adopted`: state that nobody here made was found on the LUN and taken over
 * - `difference`: what was remembered and what the LUN says are not the same
 * - `shared`: two clients of one nexus use one LUN, which cannot tell them apart
 * - `lost`: `count` events went by unseen
 * - `up`, `down`: a witness began or ended; between `down` and `up` it saw nothing
 * - `note`: anything else a person should read, in `note`
 */
export type EventKind =
  | "prOut"
  | "change"
  | "unitAttention"
  | "conflict"
  | "adopted"
  | "difference"
  | "shared"
  | "lost"
  | "up"
  | "down"
  | "note";

const KINDS: readonly EventKind[] = [
  "prOut",
  "change",
  "unitAttention",
  "conflict",
  "adopted",
  "difference",
  "shared",
  "lost",
  "up",
  "down",
  "note",
];
const SOURCES: readonly EventSource[] = ["kernel", "helper", "poll"];

/** A registration as an event tells it. */
export interface EventRegistration {
  readonly key: bigint;
  readonly holder: boolean;
  /** Ours; `null` when nothing tells. */
  readonly self: boolean | null;
  /** Decoded TransportID in one line (`sas 5001405...`), `null` when the device does not tell. */
  readonly initiator: string | null;
}

/**
 * State of a LUN, or of one client's part in it, around an event.
 *
 * The helper knows one client's part: `key` and `type` and no registrations. Poll and kernel know the LUN.
 */
export interface EventState {
  /** Key of the client (helper) or of the holder (poll, kernel); `null`: none, or not known. */
  readonly key: bigint | null;
  /** Type of the reservation held; 0: none; `null`: not known. */
  readonly type: number | null;
  readonly generation?: number;
  readonly registrations?: readonly EventRegistration[];
}

/** One event. Members of the contract first; what follows them is there where it applies. */
export interface PrEvent {
  /** ISO 8601, UTC, microseconds where the witness has them. */
  readonly time: string;
  /** As a person would type it: `/dev/sg3`, `/dev/sdb`. */
  readonly device: string;
  readonly event: EventKind;
  readonly source: EventSource;
  /** "REGISTER", "PREEMPT AND ABORT" ...; `null` when no PR OUT is concerned. */
  readonly serviceAction: string | null;
  /** "GOOD", "RESERVATION CONFLICT", a decoded sense; `null` when no command is concerned. */
  readonly status: string | null;
  /** RESERVATION KEY as sent; `null`: none or not known. */
  readonly key: bigint | null;
  /** SERVICE ACTION RESERVATION KEY as sent; `null`: none or not known. */
  readonly newKey: bigint | null;
  /** TYPE as sent, or of the reservation concerned; `null`: none or not known. */
  readonly type: number | null;
  readonly before: EventState | null;
  readonly after: EventState | null;

  /** Designator of the LUN: `naa.6001405...`. */
  readonly lun?: string;
  /** Device number `major:minor` of the node the command went through. */
  readonly devno?: string;
  /** H:C:T:L of the nexus. */
  readonly hctl?: string;
  /** CLOCK_MONOTONIC microseconds: when the command was about to leave, when its answer was there. */
  readonly startedUs?: number;
  readonly endedUs?: number;
  /** Process that sent it, as far as the witness can tell. */
  readonly pid?: number;
  readonly uid?: number;
  /** Its name (`comm`), which a process can choose freely. */
  readonly program?: string;
  /** SAM status byte. */
  readonly statusByte?: number;
  /** How many, for `lost`. */
  readonly count?: number;
  /** Explanation in a sentence. */
  readonly note?: string;
}

/** Texts of keys that were told lately. */
const keyTexts = new Map<bigint, string>();
const MOST_KEY_TEXTS = 256;

/** The event as one line of NDJSON, without the line feed. */
export function eventToJson(event: PrEvent): string {
  // Keys are replaced one by one: to have JSON.stringify ask about every member takes ten times as long.
  const { key, newKey, before, after } = event;
  return JSON.stringify({
    ...event,
    key: keyText(key),
    newKey: keyText(newKey),
    before: stateText(before),
    after: stateText(after),
  });
}

function stateText(state: EventState | null): unknown {
  if (state === null) return null;
  const { key, registrations } = state;
  const told = { ...state, key: keyText(key) };
  return registrations
    ? { ...told, registrations: registrations.map((each) => ({ ...each, key: formatKey(each.key) })) }
    : told;
}

/**
 * A key's text in one piece of memory. `JSON.stringify` has a quick way for objects all of whose strings are that, and one put
 * together from pieces, as formatKey's is, spoils it for the whole event: 2.4 µs in place of 1.2. Few keys are told again and again.
 */
function keyText(key: bigint | null): string | null {
  if (key === null) return null;
  let text = keyTexts.get(key);
  if (text === undefined) {
    if (keyTexts.size >= MOST_KEY_TEXTS) keyTexts.clear();
    keyTexts.set(key, text = JSON.parse(JSON.stringify(formatKey(key))) as string);
  }
  return text;
}

/** Reads one line back; `null` for anything that is no event. Unknown members are ignored. */
export function eventFromJson(line: string): PrEvent | null {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return null; // a line cut off by a crash
  }
  if (!isObject(raw)) return null;
  const { time, device, event, source } = raw;
  if (typeof time !== "string" || typeof device !== "string") return null;
  if (!KINDS.includes(event as EventKind) || !SOURCES.includes(source as EventSource)) return null;
  return {
    time,
    device,
    event: event as EventKind,
    source: source as EventSource,
    serviceAction: text(raw.serviceAction),
    status: text(raw.status),
    key: key(raw.key),
    newKey: key(raw.newKey),
    type: integer(raw.type),
    before: state(raw.before),
    after: state(raw.after),
    ...present({
      lun: text(raw.lun),
      devno: text(raw.devno),
      hctl: text(raw.hctl),
      startedUs: integer(raw.startedUs),
      endedUs: integer(raw.endedUs),
      pid: integer(raw.pid),
      uid: integer(raw.uid),
      program: text(raw.program),
      statusByte: integer(raw.statusByte),
      count: integer(raw.count),
      note: text(raw.note),
    }),
  };
}

function state(raw: unknown): EventState | null {
  if (!isObject(raw)) return null;
  const registrations = Array.isArray(raw.registrations) ? raw.registrations.flatMap(registration) : undefined;
  return {
    key: key(raw.key),
    type: integer(raw.type),
    ...present({ generation: integer(raw.generation) }),
    ...(registrations ? { registrations } : {}),
  };
}

function registration(raw: unknown): EventRegistration[] {
  if (!isObject(raw)) return [];
  const registered = key(raw.key);
  if (registered === null) return [];
  const self = typeof raw.self === "boolean" ? raw.self : null;
  return [{ key: registered, holder: raw.holder === true, self, initiator: text(raw.initiator) }];
}

function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

function text(raw: unknown): string | null {
  return typeof raw === "string" ? raw : null;
}

function integer(raw: unknown): number | null {
  return typeof raw === "number" && Number.isSafeInteger(raw) ? raw : null;
}

function key(raw: unknown): bigint | null {
  return typeof raw === "string" ? parseKey(raw) : null;
}

/** Drops members that are `null`, so that an optional member is either right or absent. */
function present<T extends Record<string, unknown>>(members: T): { [K in keyof T]?: Exclude<T[K], null> } {
  const kept = Object.entries(members).filter(([, value]) => value !== null);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], null> };
}
