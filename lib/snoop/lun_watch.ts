/**
 * One LUN being watched: its state as last seen, the commands that may have changed it since, and what to tell of both.
 *
 * @module
 */
import { PR_OUT_ACTION, prOutActionName } from "../pr/cdb.ts";
import type { Cause } from "../pr/diff.ts";
import type { PrState } from "../pr/types.ts";
import { describeOutcome, type Outcome } from "../scsi/outcome.ts";
import { ConflictTally } from "./conflict_tally.ts";
import type { PrEvent } from "./event.ts";
import type { KernelPath } from "./kernel/paths.ts";
import { changeEvent, lookEvent, toEventState } from "./lun_events.ts";
import { type Look, LunPoller, type PollClock, type PolledDevice, type PollOptions } from "./poll.ts";
import type { WallTime } from "./wall_time.ts";

/** A LUN to watch. */
export interface WatchTarget {
  /** As the user named it. */
  readonly device: string;
  /** Its designator, as far as it is known before it is opened. */
  readonly lun: string | null;
  /** Paths on which the kernel's events are awaited; none for a simulated LUN. */
  readonly paths: readonly KernelPath[];
  /** Opens it for reading. `attention` is told of every unit attention that a look met. Rejects with PrmigError. */
  open(attention: (outcome: Outcome) => void): Promise<PolledDevice>;
}

/** Clocks of the watch; a test makes its own. */
export interface WatchClock extends PollClock {
  /** Microseconds since 1970. */
  readonly wallUs: () => number;
}

/** How a LUN is, as far as the watch knows. */
export interface LunStatus {
  readonly device: string;
  readonly lun: string | null;
  /** Last state seen; `null`: none so far. */
  readonly state: PrState | null;
  readonly isOwn: PolledDevice["isOwn"];
  /** Why it cannot be looked at now; `null`: it can. */
  readonly trouble: string | null;
  /** Since when (microseconds since 1970) the reservation has been as it is, and whether that instant was seen. */
  readonly since: { readonly wallUs: number; readonly seen: boolean } | null;
}

/** What a LUN's watch calls. */
export interface LunSink {
  event(event: PrEvent): void;
  status(status: LunStatus): void;
  /** A look has ended: {@link LunWatch.tell} it, in its turn. */
  looked(look: Look): void;
  /** Calls back in the turn of this instant (CLOCK_MONOTONIC). */
  inTurn(atUs: number, tell: () => void): void;
  /** What only a defect of ours can throw. */
  defect(error: unknown): void;
}

type Seen = Extract<Look, { kind: "seen" }>;

/** Most causes kept between two looks. */
const MOST_CAUSES = 256;
const ACTION_CODES = new Map(Object.values(PR_OUT_ACTION).map((code) => [prOutActionName(code), code]));

/** Watches one LUN. */
export class LunWatch {
  readonly poller: LunPoller;
  readonly #conflicts: ConflictTally;
  #status: LunStatus;
  /** Designator the device itself gave at the last look; undefined before the first. */
  #designator: string | null | undefined;
  /** Addresses that were not there at the beginning, and have been told of. */
  readonly #strange = new Set<string>();
  /** Unit attentions met by the look that is under way: told with it. */
  #attentions: string[] = [];
  /** What the last look found, which may wait for its turn to be told. */
  #latest: Look | null = null;
  /** Commands that ended well since the last look began. */
  #causes: { readonly cause: Cause; readonly endedUs: number }[] = [];

  constructor(
    readonly target: WatchTarget,
    poll: PollOptions,
    private readonly clock: WatchClock,
    private readonly wall: WallTime,
    private readonly sink: LunSink,
  ) {
    const { device, lun } = target;
    this.#status = { device, lun, state: null, isOwn: () => null, trouble: null, since: null };
    this.#conflicts = new ConflictTally(clock, wall, sink);
    this.poller = new LunPoller(
      () => target.open((outcome) => this.#attention(outcome)),
      poll,
      clock,
      (look) => sink.looked(look),
      (error) => sink.defect(error),
    );
  }

  get status(): LunStatus {
    return this.#status;
  }

  /** A PR OUT that somebody saw: told at once, and a reason to look. */
  command(event: PrEvent): void {
    const { state, isOwn } = this.#status;
    this.sink.event({ ...event, before: event.before ?? (state && toEventState(state, isOwn)) });
    const cause = causeOf(event);
    if (cause) this.#causes.push({ cause, endedUs: event.endedUs ?? this.clock.nowUs() });
    if (this.#causes.length > MOST_CAUSES) this.#causes.shift();
    // Even a failed command tells: of a conflict nobody here knows the reason, and CHECK CONDITION may have executed.
    this.poller.request();
  }

  /** A conflict or an attention that another command met; `null`: one of no certain meaning. A reason to look. */
  hint(event: PrEvent | null): void {
    if (event) this.#conflicts.take(event);
    this.poller.request();
  }

  /** Whether a look found anything new, which belongs behind what others saw before it. Ask once a look. */
  hasNews(look: Look): boolean {
    const before = this.#latest;
    this.#latest = look;
    return this.#attentions.length > 0 || before === null || asText(before) !== asText(look);
  }

  /** Tells what a look found that ended at this instant. */
  tell(look: Look, atUs: number): void {
    const wallUs = this.wall.of(atUs);
    const note = "met while looking at the LUN; it was meant for whoever uses this path";
    for (const status of this.#attentions.splice(0)) {
      this.sink.event(lookEvent("unitAttention", this.#status, wallUs, { status, note }));
    }
    if (look.kind === "seen") this.#seen(look, wallUs);
    else this.#troubled(look.reason, wallUs);
  }

  /** Ends looking. */
  close(): void {
    this.#conflicts.close();
    this.poller.close();
  }

  #seen(look: Seen, wallUs: number): void {
    const { state, device } = look;
    const before = this.#status;
    const name = { device: this.target.device, lun: device.designator ?? this.target.lun };
    const known = before.since !== null && before.state !== null && sameReservation(before.state, state);
    this.#status = {
      ...name,
      state,
      isOwn: device.isOwn,
      trouble: null,
      since: known ? before.since : { wallUs, seen: before.state !== null },
    };
    if (before.state === null || before.trouble !== null) {
      const after = toEventState(state, device.isOwn);
      const note = before.trouble === null ? {} : { note: "answers again" };
      this.sink.event(lookEvent("up", name, wallUs, { after, key: after.key, type: after.type, ...note }));
    }
    if (this.#designator !== undefined && this.#designator !== device.designator) {
      const [now, was] = [device.designator, this.#designator].map((designator) => designator ?? "nameless");
      const note = `another LUN answers here now: ${now} instead of ${was}`;
      this.sink.event(lookEvent("note", name, wallUs, { note }));
    }
    this.#designator = device.designator;
    this.#located(device, name, wallUs);
    const causes = this.#causes.filter(({ endedUs }) => endedUs <= look.endedUs).map(({ cause }) => cause);
    this.#causes = this.#causes.filter(({ endedUs }) => endedUs >= look.startedUs);
    const change = before.state && changeEvent(name, wallUs, before.state, state, device.isOwn, causes);
    if (change) this.sink.event({ ...change, startedUs: look.startedUs, endedUs: look.endedUs });
    this.sink.status(this.#status);
  }

  /** A LUN that came (back) at another address has no kernel events: the filters know the addresses of the beginning. */
  #located({ addresses }: PolledDevice, name: { device: string; lun: string | null }, wallUs: number): void {
    const strange = addresses.filter((hctl) =>
      !this.target.paths.some((path) => path.hctl === hctl) && !this.#strange.has(hctl)
    );
    if (strange.length === 0) return;
    for (const hctl of strange) this.#strange.add(hctl);
    const note = `the LUN is at ${strange.join(", ")} now; kernel events from there are not followed until watch is ` +
      "started again";
    this.sink.event(lookEvent("note", name, wallUs, { note }));
  }

  #troubled(reason: string, wallUs: number): void {
    if (this.#status.trouble === reason) return;
    this.#status = { ...this.#status, trouble: reason };
    this.sink.event(lookEvent("down", this.#status, wallUs, { note: reason }));
    this.sink.status(this.#status);
  }

  #attention(outcome: Outcome): void {
    this.#attentions.push(describeOutcome(outcome));
  }
}

/** What a command may have done, when its keys are known and it ended well. */
function causeOf({ serviceAction, key, newKey, statusByte }: PrEvent): Cause | null {
  const action = ACTION_CODES.get(serviceAction ?? "");
  if (action === undefined || key === null || statusByte !== 0) return null;
  return { action, rk: key, sark: newKey ?? 0n };
}

/** What a look found, as far as it is told. */
function asText(look: Look): string {
  const told = look.kind === "seen"
    ? { state: look.state, designator: look.device.designator }
    : { reason: look.reason };
  return JSON.stringify(told, (_name, value) => typeof value === "bigint" ? value.toString(16) : value);
}

function sameReservation(before: PrState, after: PrState): boolean {
  const [old, now] = [before.reservation, after.reservation];
  return old?.key === now?.key && old?.type === now?.type;
}
