/**
 * The watch: kernel events, helpers' events and looks at the LUNs, joined into one stream in order.
 *
 *     kernel ----> prOut, conflict, unitAttention ---+--> turns.ts --> events, in the order of CLOCK_MONOTONIC
 *     helpers ---> prOut with exact keys ------------+   (the kernel's twin of it is not told again)
 *                        | "look at it now"          |
 *     poller (one a LUN) +-> state ------------------+   a change is told after the commands that came before it
 *
 * No output here: whoever watches gets events and the state of each LUN. Everything kept is bounded.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";
import { HelperJoin } from "./join.ts";
import type { KernelBackend, KernelSight } from "./kernel/backend.ts";
import type { KernelRecord } from "./kernel/correlate.ts";
import type { KernelPath } from "./kernel/paths.ts";
import { commandEvent, hintEvent } from "./kernel/to_event.ts";
import { lookEvent } from "./lun_events.ts";
import { type LunStatus, LunWatch, type WatchClock, type WatchTarget } from "./lun_watch.ts";
import type { Look, PollOptions } from "./poll.ts";
import { isoMicros } from "./stamp.ts";
import { Turns } from "./turns.ts";
import { WallTime } from "./wall_time.ts";

export type { LunStatus, WatchClock, WatchTarget } from "./lun_watch.ts";

/** Helpers of this host that write down what they do. */
export interface HelperFeed {
  /** Events from now on, of all LUNs; ends when the signal given to its maker is aborted. */
  readonly events: AsyncIterable<PrEvent>;
  /** Whether a process is such a helper. */
  readonly isHelper: (pid: number) => boolean;
}

/** Where events come from, beside looking. */
export interface WatchSources {
  readonly kernel: KernelBackend | null;
  /** Why there are no kernel events, when there could be; `null`: nothing to say. */
  readonly noKernel: string | null;
  readonly helpers: HelperFeed | null;
  /** Designator of the LUN at an address now; `null`: not known. Addresses are used again after hot-plugging. */
  readonly lunAt: (hctl: string) => string | null;
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

/** Actions whose SERVICE ACTION RESERVATION KEY and TYPE mean nothing: the kernel's events leave them out, too. */
const WITHOUT_SARK = ["RESERVE", "RELEASE", "CLEAR"];
const WITHOUT_TYPE = ["REGISTER", "REGISTER AND IGNORE EXISTING KEY", "REGISTER AND MOVE", "CLEAR"];

/** Watches some LUNs until it is closed. */
export class Watch {
  readonly #luns: LunWatch[];
  readonly #byAddress = new Map<string, { readonly path: KernelPath; readonly lun: LunWatch }>();
  readonly #wall: WallTime;
  readonly #turns: Turns;
  readonly #join: HelperJoin | null;
  /** Stamp of the kernel's youngest event. */
  #kernelUs = 0;
  #closed = false;

  constructor(
    targets: readonly WatchTarget[],
    poll: PollOptions,
    private readonly sources: WatchSources,
    private readonly clock: WatchClock,
    private readonly sink: WatchSink,
  ) {
    const { helpers, kernel } = sources;
    this.#wall = new WallTime(clock);
    this.#turns = new Turns(clock, kernel && ((text) => !this.#closed && kernel.mark(text)));
    this.#join = helpers && new HelperJoin(this.#turns, (pid) => helpers.isHelper(pid));
    this.#luns = targets.map((target, at) => {
      const lun: LunWatch = new LunWatch(target, poll, clock, this.#wall, {
        event: (event) => this.#emit(event, at),
        status: (status) => sink.status(status, at),
        looked: (look) => this.#looked(lun, look),
        inTurn: (atUs, tell) => void this.#turns.behindKernel(atUs, tell),
        defect: (error) => sink.defect(error),
      });
      for (const path of target.paths) this.#byAddress.set(path.hctl, { path, lun });
      return lun;
    });
  }

  /** First looks at all LUNs; resolves when each has ended. Then the watch goes on by itself. */
  async start(): Promise<void> {
    const { kernel, noKernel, helpers } = this.sources;
    const defect = (error: unknown): void => this.sink.defect(error);
    if (kernel) {
      this.#tellAll("up", describeSight(kernel.sight));
      this.#followKernel(kernel).catch(defect);
    } else if (noKernel !== null) {
      this.#tellAll("down", noKernel);
    }
    if (helpers) this.#followHelpers(helpers).catch(defect);
    const looks = this.#luns.map(({ poller }) => poller.look());
    for (const look of looks) look.catch(defect);
    await Promise.all(looks);
    await new Promise<void>((told) => void this.#turns.inOrder(this.clock.nowUs(), told));
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
    this.#turns.flush();
    this.#closed = true;
    for (const lun of this.#luns) lun.close();
    this.sources.kernel?.close();
  }

  // ---- witnesses

  async #followKernel(kernel: KernelBackend): Promise<void> {
    for (;;) {
      const batch = await kernel.next();
      if (this.#closed || batch.kind === "closed") return;
      if (batch.kind === "records") { for (const record of batch.records) this.#record(record); }
      if (batch.kind !== "ended") continue;
      this.#turns.flush();
      this.#tellAll("down", batch.reason);
      return this.sink.ended(batch.reason);
    }
  }

  #record(record: KernelRecord): void {
    if ("atUs" in record) this.#kernelUs = Math.max(this.#kernelUs, record.atUs);
    const toWallUs = (us: number): number => this.#wall.of(us);
    switch (record.kind) {
      case "command": {
        const found = this.#watched(record.hctl);
        if (!found) return;
        const event = commandEvent(record, found.path, toWallUs);
        const tell = (told: PrEvent): void => found.lun.command(told);
        if (this.#join) this.#join.kernel(event, record.atUs, tell);
        else this.#turns.kernel(record.atUs, () => tell(event));
        return;
      }
      case "hint": {
        const found = this.#watched(record.hctl);
        if (!found) return;
        const event = hintEvent(record, found.path, toWallUs);
        this.#turns.kernel(record.atUs, () => found.lun.hint(event));
        return;
      }
      case "lost": {
        const count = record.events === null ? {} : { count: record.events };
        const much = record.events === null ? "kernel events" : `${record.events} lines of kernel events`;
        // The line has no stamp; what was lost came after what has been read.
        const atUs = this.#kernelUs || this.clock.nowUs();
        const note = `${much} were lost; looking at the LUNs again`;
        this.#turns.kernel(atUs, () => this.#tellAll("lost", note, count, atUs));
        return this.refresh();
      }
      case "marker":
        return this.#turns.marker(record.text.trim());
      case "selfTest":
        return;
    }
  }

  /** The path at an address, unless another LUN has come there meanwhile. */
  #watched(hctl: string): { path: KernelPath; lun: LunWatch } | undefined {
    const found = this.#byAddress.get(hctl);
    if (!found || found.path.lun === null) return found;
    const now = this.sources.lunAt(hctl);
    return now === null || now === found.path.lun ? found : undefined;
  }

  async #followHelpers({ events }: HelperFeed): Promise<void> {
    for await (const event of events) {
      if (this.#closed) return;
      const lun = this.#concerned(event);
      if (!lun) continue;
      const atUs = event.endedUs ?? this.clock.nowUs();
      if (event.event !== "prOut") this.#turns.behindKernel(atUs, () => this.#emit(event, this.#luns.indexOf(lun)));
      else {this.#join!.helper({ ...event, time: isoMicros(this.#wall.of(atUs)) }, atUs, (told) =>
          lun.command(withoutIdleFields(told)));}
    }
  }

  /** The LUN a helper's event is about: by path, by designator, or by the name it was watched under. */
  #concerned(event: PrEvent): LunWatch | undefined {
    const path = event.hctl === undefined ? undefined : this.#byAddress.get(event.hctl);
    return path?.lun ??
      this.#luns.find(({ status, target }) =>
        (event.lun !== undefined && event.lun === status.lun) || event.device === target.device
      );
  }

  // ---- looks

  #looked(lun: LunWatch, look: Look): void {
    const atUs = look.kind === "seen" ? look.endedUs : this.clock.nowUs();
    const tell = (): void => lun.tell(look, atUs);
    if (lun.hasNews(look)) this.#turns.behindKernel(atUs, tell);
    else this.#turns.inOrder(atUs, tell);
  }

  #tellAll(
    event: "up" | "down" | "lost",
    note: string,
    more: { count?: number } = {},
    atUs = this.clock.nowUs(),
  ): void {
    const { device } = this.#luns[0]!.target;
    const told = lookEvent(event, { device, lun: null }, this.#wall.of(atUs), { note });
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

/** The helper tells fields as they were sent; those without a meaning would only differ from the kernel's story. */
function withoutIdleFields(event: PrEvent): PrEvent {
  const action = event.serviceAction ?? "";
  return {
    ...event,
    newKey: WITHOUT_SARK.includes(action) ? null : event.newKey,
    type: WITHOUT_TYPE.includes(action) ? null : event.type,
  };
}
