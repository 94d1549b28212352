/**
 * Tells what became of each PR OUT: an event for whoever watches, a line for the log.
 *
 * @module
 */
import { prOutActionName } from "../pr/cdb.ts";
import type { Tracked } from "../pr/tracker.ts";
import { describeOutcome } from "../scsi/outcome.ts";
import { monotonicUs } from "../sys/clock.ts";
import type { PrEvent } from "./event.ts";
import { holds, prOutEvent, prOutFacts } from "./helper_events.ts";
import type { HelperRequest } from "./helper_protocol.ts";
import type { Log } from "./log_line.ts";
import type { LunPath } from "./lun_path.ts";
import type { Ended } from "./runner.ts";
import type { Who } from "./who.ts";

/** What became of a PR OUT. */
export interface Story {
  readonly who: Who;
  readonly request: HelperRequest;
  /** Where it went, and what is known afterwards; `null`: to what is no LUN. */
  readonly place: { readonly path: LunPath; readonly tracked: Tracked | null } | null;
  readonly ended: Ended;
  /** What was known before; nothing: it was never sent. */
  readonly before?: Tracked;
  /** ISO 8601. */
  readonly time?: string;
  /** CLOCK_MONOTONIC microseconds; nothing: now. */
  readonly startedUs?: number;
  readonly endedUs?: number;
  readonly note?: string;
}

/** Whom it tells. */
export interface TellerOptions {
  readonly log: Log;
  /** Nobody reads lines of level "info": they are not even made. */
  readonly quiet?: boolean;
  readonly event: (event: PrEvent) => void;
}

/** Tells. */
export class Teller {
  readonly #multipathTold = new Set<string>();

  constructor(private readonly options: TellerOptions) {}

  /** Event and log line of a PR OUT. */
  prOut(story: Story): void {
    const { request, place, who, ended, note, before = null, time = new Date().toISOString() } = story;
    if (place) {
      const { startedUs = monotonicUs() } = story;
      const endedUs = story.endedUs ?? startedUs;
      this.options.event(
        prOutEvent({ entry: place, request, who, before, ended, time, startedUs, endedUs, note }),
      );
    }
    if (this.options.quiet) return;
    this.options.log({
      level: "info",
      message: "PERSISTENT RESERVE OUT",
      facts: {
        device: place?.path.device ?? "not a device",
        lun: place?.path.designator ?? null,
        action: prOutActionName(request.cdb[1]! & 0x1f),
        ...prOutFacts(request.cdb, request.parameters),
        status: describeOutcome(ended.outcome),
        answered: `0x${ended.answer.status.toString(16).padStart(2, "0")}`,
        holds: place?.tracked ? holds(place.tracked) : null,
        pid: who.pid,
        uid: who.uid,
        program: who.program,
        note: note ?? null,
      },
    });
  }

  /** Warns, once a map, that a PR OUT goes down one of its paths. */
  multipath({ multipath, device }: LunPath): void {
    if (multipath === null || this.#multipathTold.has(multipath)) return;
    this.#multipathTold.add(multipath);
    const message = "a multipath map: its PERSISTENT RESERVE OUTs go down one path, and the others stay unregistered";
    this.options.log({ level: "warning", message, facts: { device, remedy: "see docs/snoop.md, Multipath" } });
  }
}
