/**
 * Recorded events as a timeline: who was registered with which LUN under which key, who held it, and what was done.
 *
 *     LUN -+- lane for each registrant:   [--- key, registered ---][=== key, holding ===]
 *          +- marks:                      commands, failures, conflicts, attentions, losses
 *          +- takeovers:                  from lane to lane, at an instant
 *          +- blind times:                a witness had ended, and what happened then is not known
 *
 * Pure: events in (in any order), a model in milliseconds since 1970 out.
 *
 * @module
 */
import type { EventRegistration, EventState, PrEvent } from "./event.ts";

/** One registrant's time under one key, holding or not. */
export interface Stretch {
  readonly fromMs: number;
  toMs: number;
  readonly key: bigint;
  readonly holder: boolean;
  /** Type of the reservation while it held; 0 when it did not. */
  readonly type: number;
}

/** One registrant. */
export interface Lane {
  /** Initiator port, or the key where the device names none. */
  readonly name: string;
  own: boolean | null;
  readonly stretches: Stretch[];
}

/** Something at an instant. */
export interface Mark {
  readonly atMs: number;
  readonly kind: "done" | "failed" | "conflict" | "attention" | "lost" | "note";
  readonly event: PrEvent;
}

/** The reservation went from one registrant to another. */
export interface Takeover {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
}

/** A time in which nobody looked. */
export interface Blind {
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: string;
}

/** The story of one LUN. */
export interface TimelineLun {
  /** Designator, or the name it was watched under. */
  readonly name: string;
  /** Names it was reached by. */
  readonly devices: readonly string[];
  readonly lanes: readonly Lane[];
  readonly marks: readonly Mark[];
  readonly takeovers: readonly Takeover[];
  readonly blind: readonly Blind[];
}

/** The whole story. */
export interface Timeline {
  readonly fromMs: number;
  readonly toMs: number;
  readonly luns: readonly TimelineLun[];
}

/** Puts events together. Events without a readable time are left out. */
export function timelineOf(events: readonly PrEvent[]): Timeline {
  const timed = events
    .map((event) => ({ event, atMs: millis(event.time) }))
    .filter(({ atMs }) => Number.isFinite(atMs))
    .sort((a, b) => a.atMs - b.atMs);
  const fromMs = timed[0]?.atMs ?? 0, toMs = timed.at(-1)?.atMs ?? 0;
  const stories = new Map<string, Story>();
  const nameOf = lunNames(timed.map(({ event }) => event));
  for (const { event, atMs } of timed) {
    if (event.lun === undefined && isAboutAll(event)) {
      for (const story of stories.values()) story.take(event, atMs);
      continue;
    }
    const name = nameOf(event);
    const story = stories.get(name) ?? new Story(name);
    stories.set(name, story);
    story.take(event, atMs);
  }
  return { fromMs, toMs, luns: [...stories.values()].map((story) => story.end(toMs)) };
}

/** Milliseconds with their fraction: events tell microseconds, Date does not. */
function millis(time: string): number {
  const whole = Date.parse(time);
  const digits = /\.\d{3}(\d{1,3})/.exec(time)?.[1] ?? "";
  return whole + Number(`0.${digits.padEnd(3, "0")}`);
}

/** Kernel news about the witness itself concerns every LUN it watched. */
function isAboutAll({ event, source }: PrEvent): boolean {
  return source === "kernel" && (event === "up" || event === "down" || event === "lost");
}

/** A LUN that some events name by designator and others only by device is one. */
function lunNames(events: readonly PrEvent[]): (event: PrEvent) => string {
  const byDevice = new Map<string, string>();
  for (const { device, lun } of events) if (lun !== undefined) byDevice.set(device, lun);
  return ({ device, lun }) => lun ?? byDevice.get(device) ?? device;
}

class Story {
  readonly #lanes: Lane[] = [];
  readonly #byIdentity = new Map<string, number>();
  readonly #marks: Mark[] = [];
  readonly #takeovers: Takeover[] = [];
  readonly #blind: Blind[] = [];
  readonly #devices = new Set<string>();
  #holder: number | null = null;
  /** Since when the LUN cannot be looked at; `null`: it can. */
  #blindSince: { atMs: number; why: string } | null = null;

  constructor(private readonly name: string) {}

  take(event: PrEvent, atMs: number): void {
    if (event.lun !== undefined || !isAboutAll(event)) this.#devices.add(event.device);
    const kind = markOf(event);
    if (kind) this.#marks.push({ atMs, kind, event });
    if (event.source === "poll" && event.event === "down") {
      this.#close(atMs);
      this.#blindSince = { atMs, why: event.note ?? "could not be read" };
    }
    const { after } = event;
    if (after?.registrations) this.#state(after, after.registrations, atMs);
    else if (event.source === "helper" && after && event.event !== "up") this.#client(event, after, atMs);
  }

  end(atMs: number): TimelineLun {
    if (this.#blindSince) this.#sight(atMs);
    else this.#close(atMs);
    const [marks, takeovers, blind] = [this.#marks, this.#takeovers, this.#blind];
    return { name: this.name, devices: [...this.#devices], lanes: this.#lanes, marks, takeovers, blind };
  }

  #sight(atMs: number): void {
    if (this.#blindSince) this.#blind.push({ fromMs: this.#blindSince.atMs, toMs: atMs, why: this.#blindSince.why });
    this.#blindSince = null;
  }

  /** The whole LUN, as a look showed it. */
  #state(state: EventState, registrations: readonly EventRegistration[], atMs: number): void {
    this.#sight(atMs);
    const seen = new Set<number>();
    const holders: number[] = [];
    const count = new Map<string, number>();
    for (const registration of registrations) {
      const base = registration.initiator ?? `key ${registration.key.toString(16)}`;
      const nth = (count.get(base) ?? 0) + 1;
      count.set(base, nth);
      const at = this.#lane(nth === 1 ? base : `${base} (${nth})`, registration.self);
      seen.add(at);
      if (registration.holder) holders.push(at);
      this.#extend(at, registration.key, registration.holder, registration.holder ? state.type ?? 0 : 0, atMs);
    }
    this.#lanes.forEach((lane, at) => {
      if (!seen.has(at)) closeLane(lane, atMs);
    });
    const holder = holders.length === 1 ? holders[0]! : null;
    if (this.#holder !== null && holder !== null && holder !== this.#holder) {
      this.#takeovers.push({ atMs, from: this.#holder, to: holder });
    }
    if (holder !== null || registrations.length === 0 || state.type === 0) this.#holder = holder;
  }

  /** One client's part, as its helper tells it. */
  #client(event: PrEvent, { key, type }: EventState, atMs: number): void {
    const at = this.#lane(`${event.program ?? "a guest"} through ${event.device}`, true);
    if (key === null || key === 0n) closeLane(this.#lanes[at]!, atMs);
    else this.#extend(at, key, (type ?? 0) > 0, type ?? 0, atMs);
  }

  #lane(name: string, own: boolean | null): number {
    const known = this.#byIdentity.get(name);
    if (known !== undefined) {
      this.#lanes[known]!.own ??= own;
      return known;
    }
    this.#byIdentity.set(name, this.#lanes.length);
    return this.#lanes.push({ name, own, stretches: [] }) - 1;
  }

  #extend(at: number, key: bigint, holder: boolean, type: number, atMs: number): void {
    const lane = this.#lanes[at]!;
    const last = lane.stretches.at(-1);
    if (last && last.toMs === Infinity && last.key === key && last.holder === holder && last.type === type) return;
    closeLane(lane, atMs);
    lane.stretches.push({ fromMs: atMs, toMs: Infinity, key, holder, type });
  }

  #close(atMs: number): void {
    for (const lane of this.#lanes) closeLane(lane, atMs);
  }
}

function closeLane({ stretches }: Lane, atMs: number): void {
  const last = stretches.at(-1);
  if (last && last.toMs === Infinity) last.toMs = atMs;
}

function markOf({ event, statusByte, status }: PrEvent): Mark["kind"] | null {
  switch (event) {
    case "prOut":
      return statusByte === 0 || (statusByte === undefined && status === "GOOD") ? "done" : "failed";
    case "conflict":
      return "conflict";
    case "unitAttention":
      return "attention";
    case "lost":
      return "lost";
    case "difference":
    case "shared":
    case "adopted":
      return "note";
    default:
      return null;
  }
}
