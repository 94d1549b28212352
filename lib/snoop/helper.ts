/**
 * The helper: executes clients' commands on the descriptors they send, and keeps book of what they hold.
 *
 *     PR IN   ─ owed attention? ─ gates ─ SG_IO ─ mask ─ reply ─ overhear
 *     PR OUT  ─ read-only? masked? window? ─ lane ─ owed attention? ─ gates ─ SG_IO ─ reply ─ track ─ ask? ─ event, file
 *
 * The answer leaves before anything is asked or written: what is kept here is a memory of the LUN, and a helper that dies
 * in between asks the LUN when it comes back. Commands of one nexus that change something go one after the other; all
 * others run side by side, and none waits for long: BUSY is a better answer than a guest that hangs.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { PrmigError } from "../errors.ts";
import { PR_IN, prInActionName, prOutActionName } from "../pr/cdb.ts";
import type { Reply } from "../pr/nexus.ts";
import { type Ask, type Step, track, type Tracked } from "../pr/tracker.ts";
import { observe } from "../pr/tracker_observe.ts";
import type { PrState } from "../pr/types.ts";
import { classify, describeOutcome, type Outcome } from "../scsi/outcome.ts";
import { STATUS } from "../scsi/status.ts";
import { type Host, THIS_HOST } from "../sg/host.ts";
import { sgIo } from "../sg/sg_io.ts";
import { monotonicUs } from "../sys/clock.ts";
import { SysError } from "../sys/errno.ts";
import { fdFacts, isReadOnly } from "../sys/fd_facts.ts";
import { askDevice, overheard } from "./ask.ts";
import type { PrEvent } from "./event.ts";
import { Gate } from "./gate.ts";
import { CLOSE_MESSAGES, type HelperAnswer, type HelperRequest, WIRE } from "./helper_protocol.ts";
import { type LunPath, LunPaths } from "./lun_path.ts";
import { maskAnswer, refusalOf } from "./mask.ts";
import type { Metrics } from "./metrics.ts";
import { NexusBook, type NexusEntry } from "./nexus_book.ts";
import { holds, prOutEvent, prOutFacts, stateEvent } from "./helper_events.ts";
import { answerForErrno, answerForReply, BUSY_ANSWER, READ_ONLY_ANSWER } from "./result.ts";
import type { Client, ServerHooks } from "./server.ts";
import { identify, type Who } from "./who.ts";
import { windowOf } from "./window.ts";

/** A line for the log; a person or a journal reads it. */
export interface LogLine {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly message: string;
  readonly facts?: Readonly<Record<string, string | number | null>>;
}

/** How a helper works. */
export interface HelperOptions {
  readonly runDirectory: string;
  /** Hide what registers other nexuses (mask.ts). */
  readonly mask: boolean;
  /** Milliseconds until the kernel gives up on a command. */
  readonly timeoutMs: number;
  readonly metrics: Metrics;
  readonly log: (line: LogLine) => void;
  readonly event: (event: PrEvent) => void;
  readonly host?: Host;
  /** Milliseconds a command may wait for its turn before it is answered BUSY. */
  readonly patienceMs?: number;
}

/**
 * Kernel time limit of a command, in milliseconds. The stock program asks for 1 ms, which block nodes turn into 7 s and
 * /dev/sgN into a failure at the next tick. 30 s is above the worst failover of an array, and what a Linux guest grants
 * its own commands.
 */
export const COMMAND_TIMEOUT_MS = 30_000;
const PATIENCE_MS = 5_000;
/** Threads of the pool are 32, shared with file I/O; lib/sys lets 24 hang, and asking must still find one. */
const COMMANDS_AT_ONCE = 20;
/** Attentions kept for guests of one nexus; a device that reports more has said it all. */
const MOST_ATTENTIONS = 16;

interface Ended {
  readonly answer: HelperAnswer;
  readonly outcome: Outcome;
}

/** One helper, for any number of servers. */
export class Helper {
  readonly book: NexusBook;
  readonly #paths: LunPaths;
  readonly #gate = new Gate(COMMANDS_AT_ONCE);
  readonly #who = new Map<number, Who>();
  readonly #multipathTold = new Set<string>();

  constructor(readonly options: HelperOptions) {
    const { log, metrics, runDirectory } = options;
    this.#paths = new LunPaths(options.host ?? THIS_HOST);
    this.book = new NexusBook(runDirectory, {
      corrupt: (path, movedTo, why) =>
        log({ level: "error", message: "a state file is corrupt and is not used", facts: { path, why, movedTo } }),
      failed: (path, error) => {
        metrics.count("state_failures");
        log({ level: "error", message: "state cannot be kept", facts: { path, why: error.message } });
      },
    });
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
        log({ level: "debug", message: "client connected", facts: { client: id, pid, uid, program } });
      },
      closed: ({ id, peer }, reason) => {
        const who = this.#who.get(id);
        if (who) this.book.forgetClient(who);
        this.#who.delete(id);
        const name = typeof reason === "string" ? reason : reason.code;
        metrics.count("closed", { reason: name });
        const why = typeof reason === "string"
          ? (reason === "serviceEnds" ? null : CLOSE_MESSAGES[reason])
          : reason.message;
        log({ level: why ? "warning" : "debug", message: "client gone", facts: { client: id, pid: peer.pid, why } });
      },
      turnedAway: (why) => {
        metrics.count("turned_away");
        log({ level: "warning", message: "a client could not be accepted", facts: { why } });
      },
      defect: (error) => {
        metrics.count("defects");
        log({ level: "error", message: `defect: ${error instanceof Error ? error.stack ?? error.message : error}` });
      },
    };
  }

  async #execute(client: Client, request: HelperRequest, reply: (answer: HelperAnswer) => void): Promise<void> {
    const started = performance.now();
    const isIn = request.cdb[0] === PR_IN;
    const answer = (said: HelperAnswer): void => {
      reply(said);
      const { metrics } = this.options;
      metrics.observe((performance.now() - started) / 1000);
      const action = request.cdb[1]! & 0x1f;
      metrics.count("commands", {
        direction: isIn ? "in" : "out",
        action: isIn ? prInActionName(action) : prOutActionName(action),
        status: `0x${said.status.toString(16).padStart(2, "0")}`,
      });
    };
    const path = this.#paths.of(fdFacts(request.descriptor));
    await (isIn ? this.#prIn(request, path, answer) : this.#prOut(client, request, path, answer));
  }

  async #prIn(request: HelperRequest, path: LunPath | null, answer: (said: HelperAnswer) => void): Promise<void> {
    const entry = path && this.book.entry(path);
    const owed = entry?.attentions.shift();
    if (owed) return answer({ status: STATUS.checkCondition, sense: owed, data: new Uint8Array() });
    const outs = entry?.outs;
    const ended = await this.#run(entry, request);
    if (!ended) return answer(BUSY_ANSWER);
    answer(this.options.mask ? maskAnswer(request.cdb, ended.answer) : ended.answer);
    if (!entry) return;
    await this.#inLane(entry, async () => {
      if (outs !== entry.outs) return; // a PR OUT went by meanwhile: what this answer says may be old
      await this.#afterPrIn(entry, request, ended);
    });
  }

  async #afterPrIn(entry: NexusEntry, request: HelperRequest, { answer, outcome }: Ended): Promise<void> {
    const telling = outcome.kind === "unitAttention" && [0x29, 0x2a].includes(outcome.sense.asc);
    const state = outcome.kind === "good" ? overheard(request.cdb, answer.data) : null;
    const first = entry.fresh;
    entry.fresh = false;
    if (state) return this.#adopt(entry, state, first);
    if (telling) await this.#ask(entry, request.descriptor, "attention", first);
    else if (first && outcome.kind === "good") await this.#ask(entry, request.descriptor, "firstContact", true);
  }

  async #prOut(
    client: Client,
    request: HelperRequest,
    path: LunPath | null,
    answer: (said: HelperAnswer) => void,
  ): Promise<void> {
    const { mask, metrics } = this.options;
    const refused = isReadOnly(request.descriptor) ? READ_ONLY_ANSWER : mask ? this.#masked(request) : null;
    if (refused) {
      answer(refused);
      return this.#tell(client, request, path, refused, null, null);
    }
    const entry = path && this.book.entry(path);
    if (!entry) {
      const ended = await this.#run(null, request);
      answer(ended?.answer ?? BUSY_ANSWER);
      return this.#tell(client, request, path, ended?.answer ?? BUSY_ANSWER, ended?.outcome ?? null, null);
    }
    if (entry.path.multipath !== null) this.#tellMultipath(entry.path);
    const inTime = await this.#inLane(entry, async () => {
      const owed = entry.attentions.shift();
      if (owed) return answer({ status: STATUS.checkCondition, sense: owed, data: new Uint8Array() });
      if (windowOf(this.options.runDirectory, entry.path.lunId)) {
        metrics.count("window_busy");
        answer(BUSY_ANSWER);
        return this.#tell(client, request, path, BUSY_ANSWER, null, entry, "its reservation is being handed over");
      }
      await this.#prOutInTurn(client, request, entry, answer);
    });
    if (inTime) return;
    answer(BUSY_ANSWER);
    this.#tell(client, request, path, BUSY_ANSWER, null, entry, "an earlier command on this nexus does not come back");
  }

  async #prOutInTurn(
    client: Client,
    request: HelperRequest,
    entry: NexusEntry,
    answer: (said: HelperAnswer) => void,
  ): Promise<void> {
    entry.outs++;
    const before = entry.tracked;
    const startedUs = monotonicUs();
    const ended = await this.#run(entry, request);
    const endedUs = monotonicUs();
    if (!ended) {
      answer(BUSY_ANSWER);
      return this.#tell(client, request, entry.path, BUSY_ANSWER, null, entry, "too many commands do not come back");
    }
    answer(ended.answer);
    const time = new Date().toISOString();
    const step = track(before, request.cdb, request.parameters, ended.outcome);
    await this.#settle(entry, request.descriptor, step, time);
    this.#noteClient(entry, client, time);
    const who = this.#whoIs(client);
    this.options.event(prOutEvent({ entry, request, who, before, ended, time, startedUs, endedUs }));
    this.#log(who, request, entry, ended.answer, ended.outcome);
  }

  /** Takes over what a PR OUT proved, and asks for the rest. */
  async #settle(entry: NexusEntry, descriptor: number, { tracked, ask }: Step, time: string): Promise<void> {
    const first = entry.fresh;
    entry.fresh = false;
    this.book.update(entry, tracked, openOf(ask), time);
    const reason = entry.remembered ? "afterRestart" : ask?.when === "now" ? (first ? "firstContact" : "doubt") : null;
    if (reason) await this.#ask(entry, descriptor, reason, first);
  }

  async #ask(entry: NexusEntry, descriptor: number, reason: string, first: boolean): Promise<void> {
    const { metrics, timeoutMs, log } = this.options;
    const keep = (sense: Bytes): void => {
      if (entry.attentions.length < MOST_ATTENTIONS) entry.attentions.push(sense.slice(0, WIRE.sense));
    };
    metrics.count("extra_commands", { reason });
    try {
      const { state } = await askDevice(descriptor, entry.path.device, timeoutMs, keep);
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
    const { tracked, open } = observe(believed, state, entry.path.own);
    const time = new Date().toISOString();
    this.book.update(entry, tracked, open, time);
    const wasRemembered = entry.remembered;
    entry.remembered = false;
    if (same(believed, tracked)) return;
    if (believed.key !== null && believed.type !== null) {
      this.options.metrics.count("differences");
      const since = wasRemembered ? "since the helper was last here" : "since the last command";
      const note = `the LUN says otherwise than what was remembered: somebody changed it ${since}`;
      this.options.event(stateEvent("difference", entry.path, believed, tracked, state, time, note));
      this.options.log({ level: "warning", message: note, facts: told(entry.path, believed, tracked) });
    } else if (first && tracked.key !== null && tracked.key !== 0n) {
      const note = "registered before the helper saw it, or outside the guest: adopted";
      this.options.event(stateEvent("adopted", entry.path, null, tracked, state, time, note));
      this.options.log({ level: "info", message: note, facts: told(entry.path, null, tracked) });
    }
  }

  /** Executes on the device; `null` when there was no thread for it in time. */
  async #run(entry: NexusEntry | null, request: HelperRequest): Promise<Ended | null> {
    const patienceMs = this.options.patienceMs ?? PATIENCE_MS;
    if (entry && !await entry.gate.enter(patienceMs)) return null;
    try {
      if (!await this.#gate.enter(patienceMs)) return null;
      try {
        return await this.#sgIo(request);
      } finally {
        this.#gate.leave();
      }
    } finally {
      entry?.gate.leave();
    }
  }

  async #sgIo({ cdb, parameters, descriptor }: HelperRequest): Promise<Ended> {
    let reply: Reply;
    try {
      // As the stock program: always room for 8192 bytes, whatever the guest has room for.
      reply = await sgIo(descriptor, cdb, cdb[0] === PR_IN ? WIRE.maxData : parameters, this.options.timeoutMs);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return { answer: answerForErrno(error.errno), outcome: outcomeOfErrno(error) };
    }
    return { answer: answerForReply(reply), outcome: classify(reply) };
  }

  /** Runs `work` when all earlier PR OUTs of the nexus are settled; `false` when that would have taken too long. */
  async #inLane(entry: NexusEntry, work: () => Promise<void>): Promise<boolean> {
    if (!await entry.lane.enter(this.options.patienceMs ?? PATIENCE_MS)) return false;
    try {
      await work();
    } finally {
      entry.lane.leave();
    }
    return true;
  }

  #masked({ cdb, parameters }: HelperRequest): HelperAnswer | null {
    const refusal = refusalOf(cdb, parameters);
    if (refusal) this.options.metrics.count("masked");
    return refusal;
  }

  #noteClient(entry: NexusEntry, client: Client, time: string): void {
    const who = this.#whoIs(client);
    for (const other of this.book.noteClient(entry, who, time)) {
      const note =
        `processes ${other.pid} and ${who.pid} use this LUN through one nexus: the LUN cannot tell them apart, ` +
        "and a registration of one is the other's too";
      this.options.event(stateEvent("shared", entry.path, null, entry.tracked, null, time, note));
      this.options.log({
        level: "warning",
        message: note,
        facts: { ...told(entry.path, null, entry.tracked), programs: `${other.program}, ${who.program}` },
      });
    }
  }

  #whoIs({ id, peer }: Client): Who {
    return this.#who.get(id) ??
      { id: `connection ${id}`, pid: peer.pid, startTicks: null, uid: peer.uid, program: null };
  }

  /** Event and log of a PR OUT that was answered without the device. */
  #tell(
    client: Client,
    request: HelperRequest,
    path: LunPath | null,
    answer: HelperAnswer,
    outcome: Outcome | null,
    entry: NexusEntry | null,
    note?: string,
  ): void {
    const who = this.#whoIs(client);
    const ended = { answer, outcome: outcome ?? classify(answer) };
    if (path) {
      const now = monotonicUs();
      const time = new Date().toISOString();
      const tracked = entry?.tracked ?? null;
      const place = { path, tracked };
      this.options.event(
        prOutEvent({ entry: place, request, who, before: tracked, ended, time, startedUs: now, endedUs: now, note }),
      );
    }
    this.#log(who, request, entry ?? (path && { path, tracked: null }), answer, ended.outcome, note);
  }

  #log(
    { pid, uid, program }: Who,
    { cdb, parameters }: HelperRequest,
    place: { readonly path: LunPath; readonly tracked: Tracked | null } | null,
    answer: HelperAnswer,
    outcome: Outcome,
    note?: string,
  ): void {
    this.options.log({
      level: "info",
      message: "PERSISTENT RESERVE OUT",
      facts: {
        device: place?.path.device ?? "not a device",
        lun: place?.path.designator ?? null,
        action: prOutActionName(cdb[1]! & 0x1f),
        ...prOutFacts(cdb, parameters),
        status: outcome.kind === "good" ? "GOOD" : describeOutcome(outcome),
        answered: `0x${answer.status.toString(16).padStart(2, "0")}`,
        ...(place?.tracked ? { holds: holds(place.tracked) } : {}),
        pid,
        uid,
        program,
        ...(note === undefined ? {} : { note }),
      },
    });
  }

  #tellMultipath({ multipath, device }: LunPath): void {
    if (multipath === null || this.#multipathTold.has(multipath)) return;
    this.#multipathTold.add(multipath);
    const message = "a multipath map: its PERSISTENT RESERVE OUTs go down one path, and the others stay unregistered";
    this.options.log({ level: "warning", message, facts: { device, remedy: "see docs/snoop.md, Multipath" } });
  }
}

function outcomeOfErrno(error: SysError): Outcome {
  if (error.code === "EBADE") return { kind: "conflict" };
  if (error.code === "EDOM") return { kind: "busy", status: STATUS.taskSetFull, why: error.message };
  return { kind: "unknown", why: error.message, sense: null };
}

function openOf(ask: Ask | null): string | null {
  return ask?.why ?? null;
}

function same(a: Tracked, b: Tracked): boolean {
  return a.key === b.key && a.type === b.type;
}

function told(path: LunPath, before: Tracked | null, after: Tracked): Record<string, string | null> {
  const { device, designator } = path;
  return { device, lun: designator, ...(before ? { remembered: holds(before) } : {}), lunSays: holds(after) };
}
