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
import { track } from "../pr/tracker.ts";
import { classify } from "../scsi/outcome.ts";
import { STATUS } from "../scsi/status.ts";
import { THIS_HOST } from "../sg/host.ts";
import { deviceFacts, type FdFacts, isReadOnly } from "../sys/fd_facts.ts";
import { Clients } from "./clients.ts";
import type { PrEvent } from "./event.ts";
import type { HelperAnswer, HelperRequest } from "./helper_protocol.ts";
import { Keeper } from "./keeper.ts";
import type { Log } from "./log_line.ts";
import { type LunPath, LunPaths } from "./lun_path.ts";
import { maskAnswer, refusalOf } from "./mask.ts";
import type { Metrics } from "./metrics.ts";
import { NexusBook, type NexusEntry } from "./nexus_book.ts";
import { BUSY_ANSWER, READ_ONLY_ANSWER } from "./result.ts";
import { type DeviceIo, type Ended, Runner } from "./runner.ts";
import type { Client, ServerHooks } from "./server_hooks.ts";
import { type Story, Teller } from "./teller.ts";
import { type Clock, TurnClock } from "./turn_clock.ts";
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
  /** Nobody reads lines of level "info". */
  readonly quiet?: boolean;
  readonly event: (event: PrEvent) => void;
  /** Milliseconds a command may wait for its turn before it is answered BUSY. */
  readonly patienceMs?: number;
  /** For tests: another way to the device, and another idea of what a descriptor is. */
  readonly io?: DeviceIo;
  /** Commands under way at a time, over all nexuses; what `io` can do. */
  readonly commandsAtOnce?: number;
  readonly pathOf?: (facts: Pick<FdFacts, "kind" | "devno">) => LunPath | null;
  /** That of the server's loop. */
  readonly clock?: Clock;
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
  readonly #clients: Clients;
  readonly #teller: Teller;
  readonly #clock: Clock;
  /** Commands that wait at a gate. */
  readonly #crowd = { waiting: 0 };

  constructor(readonly options: HelperOptions) {
    const { log, metrics, runDirectory } = options;
    const clock = this.#clock = options.clock ?? new TurnClock();
    const nowMs = (): number => clock.nowUs() / 1000;
    const gates = { nowMs, crowd: this.#crowd };
    const paths = new LunPaths(THIS_HOST, nowMs);
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
    }, gates);
    this.#runner = new Runner({ ...options, gates });
    this.#keeper = new Keeper(this.book, this.#runner.io, options);
    this.#clients = new Clients({ log, metrics, gone: (who) => this.book.forgetClient(who) });
    this.#teller = new Teller(options);
  }

  /** What a HelperServer is to call. */
  hooks(): ServerHooks {
    return {
      ...this.#clients.hooks(),
      execute: (client, request, reply) => this.#execute(client, request, reply),
      inRuntime: () => this.book.writing,
      waiting: () => this.#crowd.waiting,
    };
  }

  #execute(
    client: Client,
    request: HelperRequest,
    reply: Answer,
  ): Promise<void> {
    const startedUs = this.#clock.nowUs();
    const isIn = request.cdb[0] === PR_IN;
    const answer = (said: HelperAnswer): void => {
      reply(said);
      const { metrics } = this.options;
      metrics.observe((this.#clock.nowUs() - startedUs) / 1e6);
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
    const who = this.#clients.whoIs(client);
    const refused = this.#refusal(request);
    if (refused) {
      answer(refused);
      const place = path && { path, tracked: null };
      return this.#teller.prOut({ who, request, place, ended: endedHere(refused) });
    }
    const entry = path && this.book.entry(path);
    if (!entry) {
      const ended = await this.#runner.run(null, request) ?? endedHere(BUSY_ANSWER);
      answer(ended.answer);
      return this.#teller.prOut({ who, request, place: null, ended });
    }
    this.#teller.multipath(entry.path);
    const story = await this.#runner.inLane(entry, () => this.#prOutInLane({ who, request, place: entry }, answer));
    if (story) this.#teller.prOut(story);
    else if (story === false) {
      const note = "an earlier command on this nexus does not come back";
      this.#teller.prOut(busy({ who, request, place: entry }, note, answer));
    }
  }

  /** What became of it; `null`: it was never looked at, as something else had to be said to the guest first. */
  async #prOutInLane(begun: Begun, answer: Answer): Promise<Story | null> {
    const { who, request, place: entry } = begun;
    if (payAttention(entry, answer)) return null;
    if (windowOf(this.options.runDirectory, entry.path.lunId)) {
      this.options.metrics.count("window_busy");
      return busy(begun, "the LUN's reservation is being handed over", answer);
    }
    entry.outs++;
    const before = entry.tracked;
    const startedUs = this.#clock.nowUs();
    const ended = await this.#runner.run(entry, request);
    const endedUs = this.#clock.nowUs();
    if (!ended) return busy(begun, "too many commands do not come back", answer);
    answer(ended.answer);
    const time = this.#clock.time();
    const step = track(before, request.cdb, request.parameters, ended.outcome);
    const asked = this.#keeper.afterPrOut(entry, request.descriptor, step, time);
    if (asked) await asked;
    this.#keeper.noteClient(entry, who, time);
    const place = { path: entry.path, tracked: entry.tracked };
    return { who, request, place, ended, before, time, startedUs, endedUs };
  }

  #refusal({ cdb, parameters, descriptor }: HelperRequest): HelperAnswer | null {
    if (isReadOnly(descriptor)) return READ_ONLY_ANSWER;
    const masked = this.options.mask ? refusalOf(cdb, parameters) : null;
    if (masked) this.options.metrics.count("masked");
    return masked;
  }
}

/** A PR OUT for a nexus. */
type Begun = Pick<Story, "who" | "request"> & { readonly place: NexusEntry };

/** Answers BUSY; what became of the command then. */
function busy(begun: Begun, note: string, answer: Answer): Story {
  answer(BUSY_ANSWER);
  const { path, tracked } = begun.place;
  return { ...begun, place: { path, tracked }, ended: endedHere(BUSY_ANSWER), before: tracked, note };
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
