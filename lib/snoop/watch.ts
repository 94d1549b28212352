/**
 * The watch: kernel events, the helper's events and looks at the LUNs, joined into one stream in order.
 *
 *     kernel ----> prOut, conflict, unitAttention ---+--> events, in order
 *                        | "look at it now"          |
 *     poller (one a LUN) +-> state ------------------+   a change is told after the commands that may have caused it
 *     helper ----> prOut with exact keys ------------+   the kernel's twin of it is not told again
 *
 * No output here: whoever watches gets events and the state of each LUN. Everything kept is bounded.
 *
 * @module
 */
import { describeOutcome, type Outcome } from "../scsi/outcome.ts";
import type { Cause } from "../pr/diff.ts";
import type { PrState } from "../pr/types.ts";
import { ConflictTally } from "./conflict_tally.ts";
import type { PrEvent } from "./event.ts";
import type { KernelBackend, KernelBatch, KernelSight } from "./kernel/backend.ts";
import type { KernelCommand, KernelRecord } from "./kernel/correlate.ts";
import type { KernelPath } from "./kernel/paths.ts";
import { commandEvent, hintEvent } from "./kernel/to_event.ts";
import { changeEvent, lookEvent, toEventState } from "./lun_events.ts";
import { type Look, LunPoller, type PollClock, type PolledDevice, type PollOptions } from "./poll.ts";

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

/** What the watch calls. */
export interface WatchSink {
  /** An event, and the index of the LUN it concerns (`null`: all). */
  event(event: PrEvent, target: number | null): void;
  /** The status of a LUN, whenever it was looked at. */
  status(status: LunStatus, target: number): void;
  /** A source ended that nothing can replace; `reason` is a sentence. */
  ended(reason: string): void;
  /** What only a defect of ours can throw. */
  defect(error: unknown): void;
}

interface Lun {
  readonly target: WatchTarget;
  readonly poller: LunPoller;
  readonly conflicts: ConflictTally;
  status: LunStatus;
  /** Designator the device itself gave at the last look; undefined before the first. */
  designator?: string | null;
  /** Commands that ended well since the last look began. */
  causes: { readonly cause: Cause; readonly endedUs: number }[];
}

/** Most causes kept between two looks. */
const MOST_CAUSES = 256;
/** How long a change waits for the kernel's events before it. */
const SYNC_MS = 250;

/** Watches some LUNs until it is closed. */
export class Watch {
  readonly #luns: Lun[];
  readonly #byAddress = new Map<string, { readonly path: KernelPath; readonly at: number }>();
  /** A look whose change waits for the kernel's events before it. One at a time. */
  #pending: { readonly endedUs: number; readonly go: () => void; readonly told: Promise<void> } | null = null;
  readonly #syncs = new Map<string, () => void>();
  #changes: Promise<void> = Promise.resolve();
  #syncCount = 0;
  #closed = false;

  constructor(
    targets: readonly WatchTarget[],
    poll: PollOptions,
    private readonly kernel: KernelBackend | null,
    /** Why there are no kernel events, when there could be; `null`: nothing to say. */
    private readonly noKernel: string | null,
    private readonly clock: WatchClock,
    private readonly sink: WatchSink,
  ) {
    this.#luns = targets.map((target, at) => {
      for (const path of target.paths) this.#byAddress.set(path.hctl, { path, at });
      return this.#lunOf(target, at, poll);
    });
  }

  /** First looks at all LUNs; resolves when each has been told (or hangs). Then the watch goes on by itself. */
  async start(): Promise<void> {
    if (this.kernel) {
      this.#tellAll("up", describeSight(this.kernel.sight));
      this.#follow(this.kernel).catch((error) => this.sink.defect(error));
    } else if (this.noKernel !== null) {
      this.#tellAll("down", this.noKernel);
    }
    await Promise.all(this.#luns.map(({ poller }) => {
      const first = poller.look();
      first.catch((error) => this.sink.defect(error));
      return first;
    }));
    await this.#changes;
  }

  /** Status of every LUN, in the order of the targets. */
  get statuses(): readonly LunStatus[] {
    return this.#luns.map(({ status }) => status);
  }

  /** Looks at every LUN soon. */
  refresh(): void {
    for (const { poller } of this.#luns) poller.request();
  }

  /** Ends everything. Synchronous, safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { poller, conflicts } of this.#luns) {
      conflicts.close();
      poller.close();
    }
    this.kernel?.close();
    for (const done of this.#syncs.values()) done();
  }

  #lunOf(target: WatchTarget, at: number, poll: PollOptions): Lun {
    const attention = (outcome: Outcome): void => {
      const { device, lun } = this.#luns[at]!.status;
      const status = describeOutcome(outcome);
      const note = "met while looking at the LUN; it was meant for whoever uses this path";
      this.#emit(lookEvent("unitAttention", { device, lun }, this.clock.wallUs(), { status, note }), at);
    };
    return {
      target,
      poller: new LunPoller(
        () => target.open(attention),
        poll,
        this.clock,
        (look) => this.#looked(look, at),
        (error) => this.sink.defect(error),
      ),
      conflicts: new ConflictTally(this.clock, (event) => this.#emit(event, at)),
      status: {
        device: target.device,
        lun: target.lun,
        state: null,
        isOwn: () => null,
        trouble: null,
        since: null,
      },
      causes: [],
    };
  }

  // ---- the kernel's events

  async #follow(kernel: KernelBackend): Promise<void> {
    for (;;) {
      const batch = await kernel.next();
      if (this.#closed || batch.kind === "closed") return;
      if (batch.kind === "records") await this.#take(batch);
      if (batch.kind === "ended") {
        this.#tellAll("down", batch.reason);
        this.sink.ended(batch.reason);
        return;
      }
    }
  }

  async #take({ records }: Extract<KernelBatch, { kind: "records" }>): Promise<void> {
    const offsetUs = this.clock.wallUs() - this.clock.nowUs();
    const toWallUs = (us: number): number => us + offsetUs;
    for (const record of records) {
      // What happened after a look is told after what the look found.
      while (this.#pending && "atUs" in record && record.atUs > this.#pending.endedUs) {
        const { go, told } = this.#pending;
        go();
        await told;
      }
      if (!this.#closed) this.#record(record, toWallUs);
    }
  }

  #record(record: KernelRecord, toWallUs: (us: number) => number): void {
    switch (record.kind) {
      case "command":
        return this.#command(record, toWallUs);
      case "hint": {
        const found = this.#byAddress.get(record.hctl);
        if (!found) return;
        const lun = this.#luns[found.at]!;
        const event = hintEvent(record, found.path, toWallUs);
        if (event) lun.conflicts.take(event);
        return lun.poller.request();
      }
      case "lost": {
        const count = record.events === null ? {} : { count: record.events };
        const much = record.events === null ? "events" : `${record.events} lines of kernel events`;
        this.#tellAll("lost", `${much} were lost; looking at the LUNs again`, count);
        return this.refresh();
      }
      case "marker":
        return this.#syncs.get(record.text.trim())?.();
      case "selfTest":
        return;
    }
  }

  #command(command: KernelCommand, toWallUs: (us: number) => number): void {
    const found = this.#byAddress.get(command.hctl);
    if (!found) return;
    const lun = this.#luns[found.at]!;
    const event = commandEvent(command, found.path, toWallUs);
    const { state, isOwn } = lun.status;
    this.#emit({ ...event, before: state && toEventState(state, isOwn) }, found.at);
    const cause = causeOf(command);
    if (cause) lun.causes.push({ cause, endedUs: command.atUs });
    if (lun.causes.length > MOST_CAUSES) lun.causes.shift();
    // Even a failed command tells: of a conflict nobody here knows the reason, and CHECK CONDITION may have executed.
    lun.poller.request();
  }

  // ---- looks at the LUN

  #looked(look: Look, at: number): void {
    // Changes are told one after the other, each after the kernel's events that came before it.
    this.#changes = this.#changes.then(async () => {
      if (this.#closed) return;
      if (look.kind === "seen") await this.#seen(look, at);
      else this.#troubled(look.reason, at);
    });
    this.#changes.catch((error) => this.sink.defect(error));
  }

  async #seen(look: Extract<Look, { kind: "seen" }>, at: number): Promise<void> {
    const before = this.#luns[at]!.status;
    const { state } = look;
    if (before.state === null || !changeOf(before.state, state)) return this.#tell(look, at);
    const told = Promise.withResolvers<void>();
    await this.#sync((go) => this.#pending = { endedUs: look.endedUs, go, told: told.promise });
    this.#pending = null;
    if (!this.#closed) this.#tell(look, at);
    told.resolve();
  }

  #tell(look: Extract<Look, { kind: "seen" }>, at: number): void {
    const lun = this.#luns[at]!;
    const { state, device } = look;
    const before = lun.status;
    const wallUs = look.endedUs + this.clock.wallUs() - this.clock.nowUs();
    const name = { device: lun.target.device, lun: device.designator ?? lun.target.lun };
    const causes = lun.causes.filter(({ endedUs }) => endedUs <= look.endedUs).map(({ cause }) => cause);
    lun.causes = lun.causes.filter(({ endedUs }) => endedUs >= look.startedUs);
    lun.status = {
      ...name,
      state,
      isOwn: device.isOwn,
      trouble: null,
      since: before.since !== null && before.state !== null && sameReservation(before.state, state)
        ? before.since
        : { wallUs, seen: before.state !== null },
    };
    if (before.state === null || before.trouble !== null) {
      const after = toEventState(state, device.isOwn);
      const note = before.trouble === null ? {} : { note: "answers again" };
      this.#emit(lookEvent("up", name, wallUs, { after, key: after.key, type: after.type, ...note }), at);
      const was = lun.designator;
      if (was !== undefined && was !== device.designator) {
        const text = `another LUN answers here now: ${device.designator ?? "nameless"} instead of ${was ?? "nameless"}`;
        this.#emit(lookEvent("note", name, wallUs, { note: text }), at);
      }
    }
    lun.designator = device.designator;
    if (before.state !== null) {
      const change = changeEvent(name, wallUs, before.state, state, device.isOwn, causes);
      if (change) this.#emit({ ...change, startedUs: look.startedUs, endedUs: look.endedUs }, at);
    }
    this.sink.status(lun.status, at);
  }

  #troubled(reason: string, at: number): void {
    const lun = this.#luns[at]!;
    if (lun.status.trouble === reason) return;
    lun.status = { ...lun.status, trouble: reason };
    this.#emit(lookEvent("down", lun.status, this.clock.wallUs(), { note: reason }), at);
    this.sink.status(lun.status, at);
  }

  /** Waits until every kernel event that is in the buffer now has been told, or `waiting`'s argument is called. */
  #sync(waiting: (go: () => void) => void): Promise<void> {
    const { kernel } = this;
    if (!kernel) return Promise.resolve();
    const name = `prmig sync ${this.#syncCount++}`;
    return new Promise((resolve) => {
      const cancel = this.clock.after(SYNC_MS, () => done());
      const done = (): void => {
        cancel();
        this.#syncs.delete(name);
        resolve();
      };
      this.#syncs.set(name, done);
      waiting(done);
      if (!kernel.mark(name)) done();
    });
  }

  #tellAll(event: "up" | "down" | "lost", note: string, more: { count?: number } = {}): void {
    const { device } = this.#luns[0]!.target;
    const told = lookEvent(event, { device, lun: null }, this.clock.wallUs(), { note });
    this.#emit({ ...told, source: "kernel", ...more }, null);
  }

  #emit(event: PrEvent, at: number | null): void {
    if (!this.#closed) this.sink.event(event, at);
  }
}

/** What the kernel lets us see, in a sentence. */
export function describeSight({ keys, blind, notes }: KernelSight): string {
  const what = {
    all: "every PERSISTENT RESERVE OUT of this host is seen, with its keys",
    some: `every PERSISTENT RESERVE OUT of this host is seen; its keys are unknown through ${blind.join(", ")}`,
    none: `every PERSISTENT RESERVE OUT of this host is seen, without its keys (${blind.join(", ")})`,
  }[keys];
  return [what, ...notes].join("; ");
}

/** What a command may have done, when its keys are known and it did not certainly fail. */
function causeOf({ cdb, keys, status, end }: KernelCommand): Cause | null {
  if (keys === null || end === "timeout" || status !== 0) return null;
  return { action: (cdb[1] ?? 0) & 0x1f, rk: keys.rk, sark: keys.sark ?? 0n };
}

function changeOf(before: PrState, after: PrState): boolean {
  const text = (state: PrState): string =>
    JSON.stringify(state, (_name, value) => typeof value === "bigint" ? value.toString(16) : value);
  return text(before) !== text(after);
}

function sameReservation(before: PrState, after: PrState): boolean {
  const [old, now] = [before.reservation, after.reservation];
  return old?.key === now?.key && old?.type === now?.type;
}
