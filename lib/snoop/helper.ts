/**
 * The helper: executes clients' commands on the descriptors they send, and keeps book of what they hold.
 *
 *     PR IN   ─ owed attention? ─ gates ─ SG_IO ─ mask ─ reply ─ overhear
 *     PR OUT  ─ read-only? masked? ─ lane ─ owed attention? window? ─ gates ─ SG_IO ─ reply ─ track ─ ask? ─ event, file
 *
 * The answer leaves before anything is asked or written: what is kept here is a memory of the LUN, and a helper that dies
 * in between asks the LUN when it comes back. Commands of one nexus that change something go one after the other; all
 * others run side by side, and none waits for long: BUSY is a better answer than a guest that hangs.
 *
 * @module
 */
import { PR_IN, prInActionName, prOutActionName } from "../pr/cdb.ts";
import { track, type Tracked } from "../pr/tracker.ts";
import { classify, describeOutcome } from "../scsi/outcome.ts";
import { STATUS } from "../scsi/status.ts";
import { monotonicUs } from "../sys/clock.ts";
import { deviceFacts, type FdFacts, isReadOnly } from "../sys/fd_facts.ts";
import type { PrEvent } from "./event.ts";
import { holds, prOutEvent, prOutFacts } from "./helper_events.ts";
import { CLOSE_MESSAGES, type HelperAnswer, type HelperRequest } from "./helper_protocol.ts";
import { Keeper } from "./keeper.ts";
import type { Log } from "./log_line.ts";
import { type LunPath, LunPaths } from "./lun_path.ts";
import { maskAnswer, refusalOf } from "./mask.ts";
import type { Metrics } from "./metrics.ts";
import { NexusBook, type NexusEntry } from "./nexus_book.ts";
import { BUSY_ANSWER, READ_ONLY_ANSWER } from "./result.ts";
import { type DeviceIo, type Ended, Runner } from "./runner.ts";
import type { Client, ServerHooks } from "./server.ts";
import { identify, type Who } from "./who.ts";
import { windowOf } from "./window.ts";

/** How a helper works. */
export interface HelperOptions {
  readonly runDirectory: string;
  /** Hide what registers other nexuses (mask.ts). */
  readonly mask: boolean;
  /** Milliseconds until the kernel gives up on a command. */
  readonly timeoutMs: number;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly event: (event: PrEvent) => void;
  /** Milliseconds a command may wait for its turn before it is answered BUSY. */
  readonly patienceMs?: number;
  /** For tests: another way to the device, and another idea of what a descriptor is. */
  readonly io?: DeviceIo;
  /** Commands under way at a time, over all nexuses; what `io` can do. */
  readonly commandsAtOnce?: number;
  readonly pathOf?: (facts: Pick<FdFacts, "kind" | "devno">) => LunPath | null;
}

/**
 * Kernel time limit of a command, in milliseconds. The stock program asks for 1 ms, which block nodes turn into 7 s and
 * /dev/sgN into a failure at the next tick. 30 s is above the worst failover of an array, and what a Linux guest grants
 * its own commands.
 */
export const COMMAND_TIMEOUT_MS = 30_000;

type Answer = (said: HelperAnswer) => void;

/** One helper, for any number of servers. */
export class Helper {
  readonly book: NexusBook;
  readonly #runner: Runner;
  readonly #keeper: Keeper;
  readonly #pathOf: (facts: Pick<FdFacts, "kind" | "devno">) => LunPath | null;
  readonly #who = new Map<number, Who>();
  readonly #multipathTold = new Set<string>();

  constructor(readonly options: HelperOptions) {
    const { log, metrics, runDirectory } = options;
    const paths = new LunPaths();
    this.#pathOf = options.pathOf ?? ((facts) => paths.of(facts));
    this.book = new NexusBook(runDirectory, {
      corrupt: (path, movedTo, why) =>
        log({
          level: "error",
          message: "a state file is corrupt and is not used",
          facts: { path, why, movedTo },
        }),
      failed: (path, error) => {
        metrics.count("state_failures");
        log({
          level: "error",
          message: "state cannot be kept",
          facts: { path, why: error.message },
        });
      },
    });
    this.#runner = new Runner(options);
    this.#keeper = new Keeper(this.book, this.#runner.io, options);
  }

  /** What a HelperServer is to call. */
  hooks(): ServerHooks {
    const { log, metrics } = this.options;
    return {
      execute: (client, request, reply) => this.#execute(client, request, reply),
      connected: ({ id, peer }) => {
        const who = identify(peer, id);
        this.#who.set(id, who);
        metrics.count("connections");
        const { pid, uid, program } = who;
        log({
          level: "debug",
          message: "client connected",
          facts: { client: id, pid, uid, program },
        });
      },
      closed: ({ id, peer }, reason) => {
        const who = this.#who.get(id);
        if (who) this.book.forgetClient(who);
        this.#who.delete(id);
        const [name, why] = typeof reason !== "string"
          ? [reason.code, reason.message]
          : [reason, reason === "serviceEnds" ? null : CLOSE_MESSAGES[reason]];
        metrics.count("closed", { reason: name });
        // A peer that is gone is everyday; one that breaks the protocol is not.
        const level = why && typeof reason === "string" ? "warning" : "debug";
        log({
          level,
          message: "client gone",
          facts: { client: id, pid: peer.pid, why },
        });
      },
      turnedAway: (why) => {
        metrics.count("turned_away");
        log({
          level: "warning",
          message: "a client could not be accepted",
          facts: { why },
        });
      },
      defect: (error) => {
        metrics.count("defects");
        log({
          level: "error",
          message: `defect: ${error instanceof Error ? error.stack ?? error.message : error}`,
        });
      },
    };
  }

  #execute(
    client: Client,
    request: HelperRequest,
    reply: Answer,
  ): Promise<void> {
    const started = performance.now();
    const isIn = request.cdb[0] === PR_IN;
    const answer = (said: HelperAnswer): void => {
      reply(said);
      const { metrics } = this.options;
      metrics.observe((performance.now() - started) / 1000);
      const name = isIn ? prInActionName : prOutActionName;
      metrics.command(
        isIn ? "in" : "out",
        request.cdb[1]! & 0x1f,
        name,
        said.status,
      );
    };
    const path = this.#pathOf(deviceFacts(request.descriptor));
    return isIn ? this.#prIn(request, path, answer) : this.#prOut(client, request, path, answer);
  }

  async #prIn(
    request: HelperRequest,
    path: LunPath | null,
    answer: Answer,
  ): Promise<void> {
    const entry = path && this.book.entry(path);
    if (entry && payAttention(entry, answer)) return;
    const outs = entry?.outs;
    const ended = await this.#runner.run(entry, request);
    if (!ended) return answer(BUSY_ANSWER);
    answer(
      this.options.mask ? maskAnswer(request.cdb, ended.answer) : ended.answer,
    );
    if (!entry || !this.#keeper.concerns(entry, ended, request)) return;
    await this.#runner.inLane(entry, async () => {
      // If a PR OUT went by meanwhile, what this answer says may be old.
      if (outs === entry.outs) {
        await this.#keeper.afterPrIn(entry, request, ended);
      }
    });
  }

  async #prOut(
    client: Client,
    request: HelperRequest,
    path: LunPath | null,
    answer: Answer,
  ): Promise<void> {
    const refused = this.#refusal(request);
    if (refused) {
      answer(refused);
      return this.#tell({
        client,
        request,
        place: path && { path, tracked: null },
        ended: endedHere(refused),
      });
    }
    const entry = path && this.book.entry(path);
    if (!entry) {
      const ended = await this.#runner.run(null, request) ??
        endedHere(BUSY_ANSWER);
      answer(ended.answer);
      return this.#tell({ client, request, place: null, ended });
    }
    this.#tellMultipath(entry.path);
    const inTime = await this.#runner.inLane(
      entry,
      () => this.#prOutInLane(client, request, entry, answer),
    );
    if (!inTime) {
      this.#busy(
        client,
        request,
        entry,
        answer,
        "an earlier command on this nexus does not come back",
      );
    }
  }

  async #prOutInLane(
    client: Client,
    request: HelperRequest,
    entry: NexusEntry,
    answer: Answer,
  ): Promise<void> {
    if (payAttention(entry, answer)) return;
    if (windowOf(this.options.runDirectory, entry.path.lunId)) {
      this.options.metrics.count("window_busy");
      return this.#busy(
        client,
        request,
        entry,
        answer,
        "the LUN's reservation is being handed over",
      );
    }
    entry.outs++;
    const before = entry.tracked;
    const startedUs = monotonicUs();
    const ended = await this.#runner.run(entry, request);
    const endedUs = monotonicUs();
    if (!ended) {
      return this.#busy(
        client,
        request,
        entry,
        answer,
        "too many commands do not come back",
      );
    }
    answer(ended.answer);
    const time = new Date().toISOString();
    const step = track(before, request.cdb, request.parameters, ended.outcome);
    await this.#keeper.afterPrOut(entry, request.descriptor, step, time);
    this.#keeper.noteClient(entry, this.#whoIs(client), time);
    this.#tell({
      client,
      request,
      place: entry,
      ended,
      before,
      time,
      startedUs,
      endedUs,
    });
  }

  #refusal(
    { cdb, parameters, descriptor }: HelperRequest,
  ): HelperAnswer | null {
    if (isReadOnly(descriptor)) return READ_ONLY_ANSWER;
    const masked = this.options.mask ? refusalOf(cdb, parameters) : null;
    if (masked) this.options.metrics.count("masked");
    return masked;
  }

  #busy(
    client: Client,
    request: HelperRequest,
    entry: NexusEntry,
    answer: Answer,
    note: string,
  ): void {
    answer(BUSY_ANSWER);
    this.#tell({
      client,
      request,
      place: entry,
      ended: endedHere(BUSY_ANSWER),
      before: entry.tracked,
      note,
    });
  }

  #whoIs({ id, peer }: Client): Who {
    return this.#who.get(id) ??
      {
        id: `connection ${id}`,
        pid: peer.pid,
        startTicks: null,
        uid: peer.uid,
        program: null,
      };
  }

  /** Event and log line of a PR OUT. */
  #tell(story: {
    readonly client: Client;
    readonly request: HelperRequest;
    readonly place:
      | { readonly path: LunPath; readonly tracked: Tracked | null }
      | null;
    readonly ended: Ended;
    readonly before?: Tracked;
    readonly time?: string;
    readonly startedUs?: number;
    readonly endedUs?: number;
    readonly note?: string;
  }): void {
    const { client, request, place, ended, note } = story;
    const who = this.#whoIs(client);
    const time = story.time ?? new Date().toISOString();
    const { startedUs = monotonicUs(), before = null } = story;
    const endedUs = story.endedUs ?? startedUs;
    if (place) {
      this.options.event(
        prOutEvent({
          entry: place,
          request,
          who,
          before,
          ended,
          time,
          startedUs,
          endedUs,
          note,
        }),
      );
    }
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

  #tellMultipath({ multipath, device }: LunPath): void {
    if (multipath === null || this.#multipathTold.has(multipath)) return;
    this.#multipathTold.add(multipath);
    const message = "a multipath map: its PERSISTENT RESERVE OUTs go down one path, and the others stay unregistered";
    this.options.log({
      level: "warning",
      message,
      facts: { device, remedy: "see docs/snoop.md, Multipath" },
    });
  }
}

/** Hands over a unit attention that the helper caught and the guest has a right to; true when there was one. */
function payAttention(entry: NexusEntry, answer: Answer): boolean {
  const sense = entry.attentions.shift();
  if (sense) {
    answer({ status: STATUS.checkCondition, sense, data: new Uint8Array() });
  }
  return sense !== undefined;
}

/** The ending of a command that never went to the device. */
function endedHere(answer: HelperAnswer): Ended {
  return { answer, outcome: classify(answer) };
}
