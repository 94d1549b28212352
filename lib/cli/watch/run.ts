/**
 * `prmig watch`: finds the LUNs, sets up the kernel's events, shows what comes, and ends when it should.
 *
 * @module
 */
import { EXIT, PrmigError } from "../../errors.ts";
import { monotonicUs, wallUs } from "../../sys/clock.ts";
import type { KernelBackend } from "../../snoop/kernel/backend.ts";
import { readDeviceOffsets } from "../../snoop/kernel/btf.ts";
import { openTracefs } from "../../snoop/kernel/tracefs_backend.ts";
import { type KernelPath, wwidOf } from "../../snoop/kernel/paths.ts";
import { KernelUnavailable } from "../../snoop/kernel/unavailable.ts";
import { type HelperFeed, type LunStatus, Watch, type WatchClock, type WatchTarget } from "../../snoop/watch.ts";
import { runDirectory } from "../run_directory.ts";
import type { CommandContext } from "../context.ts";
import { traceOf } from "../open.ts";
import { helperFeed } from "./helpers.ts";
import { jsonPresenter, linePresenter, LivePresenter, type Presenter } from "./present.ts";
import type { Terminal } from "./screen.ts";
import { findTargets } from "./targets.ts";
import { processTerminal } from "./terminal.ts";
import type { Condition } from "./until.ts";

/** What the command line asks for. */
export interface WatchInput {
  readonly devices: readonly string[];
  /** Milliseconds; 0: no looks but those an event asks for. */
  readonly poll: number;
  readonly once: boolean;
  readonly until: Condition | undefined;
  /** Milliseconds. */
  readonly timeout: number | undefined;
}

/** What a test puts in the place of this machine. */
export interface WatchMachine {
  readonly clock: WatchClock;
  readonly openKernel: (paths: readonly KernelPath[]) => Promise<KernelBackend>;
  /** What helpers of this host tell; `null`: their directory is not ours to read. */
  readonly helpers: (context: CommandContext, signal: AbortSignal) => HelperFeed | null;
  readonly terminal: (writeStdout: CommandContext["writeStdout"]) => Terminal;
}

const THIS_MACHINE: WatchMachine = {
  clock: {
    nowUs: monotonicUs,
    wallUs,
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  },
  openKernel: (paths) =>
    openTracefs({ paths, hints: true, offsets: readDeviceOffsets(), processors: navigator.hardwareConcurrency }),
  helpers: ({ env }, signal) => helperFeed(runDirectory(env), signal),
  terminal: processTerminal,
};

/** Limits of one look: of each command, of the whole before it counts as hanging, and between two. */
const COMMAND_MS = 5000, PATIENCE_MS = 7000, LEAST_GAP_MS = 100;

/** Resolves with the exit code. */
export async function runWatch(input: WatchInput, context: CommandContext, machine = THIS_MACHINE): Promise<number> {
  if (input.once && input.until) throw usage("--once ends at once, --until waits: give one of them");
  if (input.once && input.timeout !== undefined) throw usage("--once ends by itself; --timeout is for watching");
  const relay: { presenter: Presenter | null } = { presenter: null };
  const trace = traceOf(context);
  const targets = findTargets(input.devices, {
    trace: trace && ((line) => relay.presenter ? relay.presenter.trace(line) : trace(line)),
    timeoutMs: COMMAND_MS,
  });
  const { kernel, refused } = input.once ? { kernel: null, refused: null } : await tryKernel(targets, machine);
  if (!input.once && kernel === null && input.poll === 0) {
    throw nothingToWatchWith(input.devices[0]!, refused);
  }
  return await new Session(input, context, machine, targets, kernel, refused, relay).run();
}

async function tryKernel(
  targets: readonly WatchTarget[],
  machine: WatchMachine,
): Promise<{ kernel: KernelBackend | null; refused: KernelUnavailable | null }> {
  const paths = targets.flatMap((target) => target.paths);
  if (paths.length === 0) return { kernel: null, refused: null };
  try {
    return { kernel: await machine.openKernel(paths), refused: null };
  } catch (error) {
    if (error instanceof KernelUnavailable) return { kernel: null, refused: error };
    throw error;
  }
}

/** One run of the command, from the first look to the end. */
class Session {
  readonly #end = Promise.withResolvers<number>();
  readonly #stop = new AbortController();
  readonly #watch: Watch;
  readonly #presenter: Presenter;

  constructor(
    private readonly input: WatchInput,
    private readonly context: CommandContext,
    private readonly machine: WatchMachine,
    targets: readonly WatchTarget[],
    private readonly kernel: KernelBackend | null,
    refused: KernelUnavailable | null,
    relay: { presenter: Presenter | null },
  ) {
    this.#end.promise.catch(() => {}); // nobody may be waiting yet when it comes
    const poll = { intervalMs: input.once ? 0 : input.poll, patienceMs: PATIENCE_MS, leastGapMs: LEAST_GAP_MS };
    const real = targets.some(({ paths }) => paths.length > 0); // no helper serves a simulated LUN
    const noKernel = refused && blindness(refused, input.poll);
    const helpers = real && !input.once ? machine.helpers(context, this.#stop.signal) : null;
    const sources = { kernel, noKernel, helpers, lunAt: (hctl: string) => wwidOf(hctl) };
    this.#watch = new Watch(targets, poll, sources, machine.clock, {
      event: (event) => {
        this.#presenter.event(event);
        if (context.out.closed) this.#end.resolve(EXIT.ok);
      },
      status: (status, target) => {
        this.#presenter.status(status, target);
        this.#judge();
      },
      ended: (reason) => this.#end.reject(cutOff(input.devices[0]!, reason)),
      defect: (error) => this.#end.reject(error),
    });
    this.#presenter = relay.presenter = this.#present(targets);
  }

  async run(): Promise<number> {
    const { context, input } = this;
    const stop = (): void => this.#end.resolve(EXIT.interrupted);
    context.signal.addEventListener("abort", stop, { once: true });
    const timer = input.timeout === undefined ? undefined : setTimeout(() => this.#timeUp(), input.timeout);
    try {
      if (context.signal.aborted) stop();
      this.#begin().catch((error) => this.#end.reject(error));
      return await this.#end.promise;
    } finally {
      clearTimeout(timer);
      context.signal.removeEventListener("abort", stop);
      this.#stop.abort();
      this.#watch.close();
      this.#presenter.close();
    }
  }

  async #begin(): Promise<void> {
    await this.#watch.start();
    const { statuses } = this.#watch;
    if (statuses.every(({ state, trouble }) => state === null && trouble !== null)) {
      throw new PrmigError("device", {
        message: statuses[0]!.trouble!,
        device: statuses[0]!.device,
        lun: "unchanged: only reads were sent",
        remedy: "prmig dump --all",
      });
    }
    if (this.input.once) this.#end.resolve(statuses.some(({ trouble }) => trouble !== null) ? EXIT.device : EXIT.ok);
  }

  #present(targets: readonly WatchTarget[]): Presenter {
    const { out, err, json, writeStdout } = this.context;
    const trace = (line: string): void => err.line(err.colour.faint(line));
    if (json) return jsonPresenter(out, trace);
    const devices = targets.flatMap(({ device, paths }) => [device, ...paths.map((path) => path.device)]);
    if (!out.isTerminal || this.input.once) return linePresenter(out, devices, trace);
    return new LivePresenter({
      out,
      terminal: this.machine.terminal(writeStdout),
      luns: this.#watch.statuses,
      sight: `${sightText(this.kernel)}; ${pollText(this.input.poll)}`,
      nowUs: this.machine.clock.wallUs,
      quit: () => this.#end.resolve(EXIT.ok),
    });
  }

  /** Ends when the condition holds on every LUN. */
  #judge(): void {
    const { until } = this.input;
    if (!until) return;
    const holds = ({ state, trouble }: LunStatus): boolean => state !== null && trouble === null && until.holds(state);
    if (this.#watch.statuses.every(holds)) this.#end.resolve(EXIT.ok);
  }

  #timeUp(): void {
    const { until, timeout, devices } = this.input;
    if (!until) return this.#end.resolve(EXIT.ok);
    this.#end.reject(
      new PrmigError("failed", {
        message: `"${until.text}" has not come true on ${devices.join(", ")} within ${timeout! / 1000} s`,
        device: devices[0]!,
        lun: "as the watch showed it; only reads were sent",
        remedy: `look at it: prmig dump ${devices[0]}`,
      }),
    );
  }
}

function sightText(kernel: KernelBackend | null): string {
  if (kernel === null) return "no kernel events";
  return {
    all: "kernel events with keys",
    some: "kernel events, some keys unknown",
    none: "kernel events without keys",
  }[
    kernel.sight.keys
  ];
}

function pollText(poll: number): string {
  return poll === 0 ? "read on events only" : `read every ${poll / 1000} s`;
}

function blindness(refused: KernelUnavailable, poll: number): string {
  return `${refused.message}; the LUN is only read every ${
    poll / 1000
  } s: who sent a command, attempts that failed, and ` +
    `what comes and goes in between are not seen (to see them: ${refused.remedy})`;
}

function nothingToWatchWith(device: string, refused: KernelUnavailable | null): PrmigError {
  const reason = refused?.message ?? "there are no kernel events for it";
  return new PrmigError("device", {
    message: `Cannot watch ${device}: ${reason}, and --poll 0 turns reading off`,
    device,
    lun: "not touched",
    remedy: refused?.remedy ?? "leave out --poll 0",
  });
}

function cutOff(device: string, reason: string): PrmigError {
  return new PrmigError("failed", {
    message: `The kernel's events for ${device} ended: ${reason}`,
    device,
    lun: "not touched by prmig; what happened since then was not seen",
    remedy: "start prmig watch again",
  });
}

function usage(message: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy: "prmig watch --help" });
}
