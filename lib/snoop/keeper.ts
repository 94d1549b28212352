/**
 * Keeps the book right after each command: takes over what a reply proves, asks the LUN for the rest, tells differences.
 *
 * Every method that changes an entry is called in its nexus' lane, so that what is known is in the order of what happened.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { PrmigError } from "../errors.ts";
import type { Ask, Step, Tracked } from "../pr/tracker.ts";
import { observe } from "../pr/tracker_observe.ts";
import type { PrState } from "../pr/types.ts";
import { SysError } from "../sys/errno.ts";
import { askDevice, overheard } from "./ask.ts";
import type { EventKind, PrEvent } from "./event.ts";
import { holds, stateEvent } from "./helper_events.ts";
import { type HelperRequest, WIRE } from "./helper_protocol.ts";
import type { Log } from "./log_line.ts";
import type { Metrics } from "./metrics.ts";
import type { NexusBook, NexusEntry } from "./nexus_book.ts";
import type { DeviceIo, Ended } from "./runner.ts";
import type { Who } from "./who.ts";

/** Whom the keeper tells. */
export interface KeeperOptions {
  readonly timeoutMs: number;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly event: (event: PrEvent) => void;
}

/** Attentions kept for guests of one nexus; a device that reports more has said it all. */
const MOST_ATTENTIONS = 16;
/** Additional sense codes that concern reservations: resets, and parameters changed. */
const TELLING: readonly number[] = [0x29, 0x2a];

/** Keeps a book. */
export class Keeper {
  constructor(readonly book: NexusBook, readonly io: DeviceIo, readonly options: KeeperOptions) {}

  /** True when a PR IN's answer says something about reservations that is worth a look. */
  concerns(entry: NexusEntry, { outcome }: Ended, request: HelperRequest): boolean {
    if (outcome.kind === "unitAttention") return TELLING.includes(outcome.sense.asc);
    return outcome.kind === "good" && (entry.fresh || (request.cdb[1]! & 0x1f) === 3);
  }

  /** After a PR IN that {@link concerns}. */
  async afterPrIn(entry: NexusEntry, request: HelperRequest, { answer, outcome }: Ended): Promise<void> {
    const first = entry.fresh;
    entry.fresh = false;
    const state = outcome.kind === "good" ? overheard(request.cdb, answer.data) : null;
    if (state) this.#adopt(entry, state, first);
    else if (outcome.kind === "unitAttention") await this.#ask(entry, request.descriptor, "attention", first);
    else if (first) await this.#ask(entry, request.descriptor, "firstContact", true);
  }

  /** After a PR OUT: takes over what it proved; asks for the rest, if there is one, and `null` if not. */
  afterPrOut(entry: NexusEntry, descriptor: number, { tracked, ask }: Step, time: string): Promise<void> | null {
    const first = entry.fresh;
    entry.fresh = false;
    this.book.update(entry, tracked, ask?.why ?? null, time);
    const reason = reasonToAsk(entry, ask, first);
    return reason === null ? null : this.#ask(entry, descriptor, reason, first);
  }

  /** Notes who sent a PR OUT, and warns once when others use the nexus as well. */
  noteClient(entry: NexusEntry, who: Who, time: string): void {
    for (const other of this.book.noteClient(entry, who, time)) {
      const note = `processes ${other.pid} and ${who.pid} use this LUN through one nexus: the LUN cannot tell them ` +
        "apart, and a registration of one is the other's too";
      this.#tell("shared", entry, null, entry.tracked, null, note, {
        programs: [other.program, who.program].filter(Boolean).join(", "),
      });
    }
  }

  async #ask(entry: NexusEntry, descriptor: number, reason: string, first: boolean): Promise<void> {
    const { metrics, timeoutMs, log } = this.options;
    const keep = (sense: Bytes): void => {
      if (entry.attentions.length < MOST_ATTENTIONS) entry.attentions.push(sense.slice(0, WIRE.sense));
    };
    const count = (): void => metrics.count("extra_commands", { reason });
    try {
      const state = await askDevice(this.io, descriptor, entry.path.device, timeoutMs, {
        attention: keep,
        sent: count,
      });
      this.#adopt(entry, state, first);
    } catch (error) {
      if (!(error instanceof PrmigError) && !(error instanceof SysError)) throw error;
      const why = `the LUN could not be asked: ${error.message}`;
      this.book.update(entry, entry.tracked, why, new Date().toISOString());
      log({ level: "warning", message: why, facts: { device: entry.path.device, lun: entry.path.designator } });
    }
  }

  /** Takes over what the LUN says, and tells where that is not what was believed. */
  #adopt(entry: NexusEntry, state: PrState, first: boolean): void {
    const believed = entry.tracked;
    const wasRemembered = entry.remembered;
    const { tracked, open } = observe(believed, state, entry.path.own);
    this.book.update(entry, tracked, open, new Date().toISOString());
    entry.remembered = false;
    if (believed.key === tracked.key && believed.type === tracked.type) return;
    if (believed.key !== null && believed.type !== null) {
      this.options.metrics.count("differences");
      const since = wasRemembered ? "while no helper ran" : "since its last command";
      const note = `the LUN says otherwise than what was remembered: somebody else changed it ${since}`;
      this.#tell("difference", entry, believed, tracked, state, note);
    } else if (first && tracked.key !== null && tracked.key !== 0n) {
      this.#tell("adopted", entry, null, tracked, state, "registered before the helper saw it, or outside the guest");
    }
  }

  #tell(
    kind: EventKind,
    { path }: NexusEntry,
    before: Tracked | null,
    after: Tracked,
    seen: PrState | null,
    note: string,
    more: Readonly<Record<string, string>> = {},
  ): void {
    this.options.event(stateEvent(kind, path, before, after, seen, new Date().toISOString(), note));
    const remembered = before === null ? null : holds(before);
    const facts = { device: path.device, lun: path.designator, remembered, holds: holds(after), ...more };
    this.options.log({ level: kind === "adopted" ? "info" : "warning", message: note, facts });
  }
}

function reasonToAsk(entry: NexusEntry, ask: Ask | null, first: boolean): string | null {
  if (entry.remembered) return "afterRestart";
  if (ask?.when !== "now") return null;
  return first ? "firstContact" : "doubt";
}
