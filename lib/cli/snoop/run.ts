/**
 * `prmig snoop`: from the command line to the last answered command.
 *
 *     prepare (privileged) -> give privileges up -> serve -> SIGTERM: answer what runs -> write state -> unlink -> exit 0
 *
 * @module
 */
import { EXIT, PrmigError } from "../../errors.ts";
import { join } from "../../files/paths.ts";
import { eventToJson, type PrEvent } from "../../snoop/event.ts";
import { EventLog } from "../../snoop/event_log.ts";
import { EventQueue } from "../../snoop/event_queue.ts";
import { SgThreads } from "../../sg/sg_threads.ts";
import { Helper } from "../../snoop/helper.ts";
import type { LogLine } from "../../snoop/log_line.ts";
import { type Gauges, Metrics } from "../../snoop/metrics.ts";
import { WIRE } from "../../snoop/helper_protocol.ts";
import { HelperServer } from "../../snoop/server.ts";
import { LUN_DIRECTORY } from "../../snoop/state.ts";
import { TurnClock } from "../../snoop/turn_clock.ts";
import { privileges } from "../../sys/privileges.ts";
import { notify } from "../../sys/systemd.ts";
import { stopListening } from "../../sys/unix_socket.ts";
import type { CommandContext } from "../context.ts";
import { VERSION } from "../version.ts";
import { detach, isDetached, READY_LINE } from "./detach.ts";
import { formatLog } from "./log.ts";
import { MetricsFile } from "./metrics_file.ts";
import { prepare, type Prepared, removePidFile, type SnoopInput } from "./prepare.ts";

/** Everything the command line says. */
export interface Input extends SnoopInput {
  readonly daemon: boolean;
  readonly noMask: boolean;
  readonly metrics: string | undefined;
  readonly timeout: number;
  readonly maxClients: number;
  readonly trace: string | undefined;
  readonly quiet: boolean;
  readonly version: boolean;
}

/** SCSI commands under way at a time, and so threads: those of clients, and some of the helper's own. */
const CLIENT_COMMANDS = 64, COMMANDS = CLIENT_COMMANDS + 8;
const METRICS_MS = 15_000;

/** Serves until told to stop. Rejects with PrmigError when it cannot begin. */
export async function runSnoop(input: Input, context: CommandContext): Promise<number> {
  if (input.version) {
    context.out.line(VERSION);
    return EXIT.ok;
  }
  if (input.daemon && !isDetached(context.env)) return await detach(context);
  const prepared = await prepare(input, context);
  try {
    await serve(input, context, prepared);
    return EXIT.ok;
  } finally {
    const clean = await stopListening(prepared.listener);
    removePidFile(input.pidfile);
    if (!clean) context.err.line(`the socket ${prepared.listener.path} stays behind: no permission to remove it`);
  }
}

async function serve(input: Input, context: CommandContext, { listener, runDirectory }: Prepared): Promise<void> {
  const log = logTo(input, context);
  const metrics = new Metrics();
  const startedAt = Date.now() / 1000;
  insistOnWriting(runDirectory);
  using events = openEvents(runDirectory);
  const clock = new TurnClock();
  const queue = new EventQueue(
    (some) => keep(some, events, log, metrics),
    () => server.going,
    () => clock.nowUs() / 1000,
  );
  const threads = new SgThreads(COMMANDS, WIRE.maxData);
  const helper = new Helper({
    runDirectory,
    clock,
    io: threads.io,
    commandsAtOnce: CLIENT_COMMANDS,
    mask: !input.noMask,
    timeoutMs: input.timeout,
    metrics,
    log,
    quiet: input.quiet,
    event: (event) => {
      queue.add(event);
      if (context.json) context.out.line(eventToJson(event));
    },
  });
  const server = new HelperServer(
    listener,
    { ...helper.hooks(), pause: () => queue.flush() },
    input.maxClients,
    threads,
    clock,
  );
  const gauges = (): Gauges => ({
    clients: server.clients,
    running: server.running,
    nexuses: helper.book.entries().length,
    sharedNexuses: helper.book.shared(),
    openDescriptors: [...Deno.readDirSync("/proc/self/fd")].length,
    residentBytes: Deno.memoryUsage().rss,
  });
  const file = input.metrics === undefined ? null : new MetricsFile(input.metrics, log);
  const writeMetrics = (): void => file?.write(metrics.render(gauges(), VERSION, startedAt));
  const timer = setInterval(writeMetrics, METRICS_MS);
  const stop = (): void => {
    notify(context.env, "STOPPING=1");
    server.stop();
  };
  context.signal.addEventListener("abort", stop, { once: true });
  if (context.signal.aborted) stop();
  try {
    const served = server.run();
    log({
      level: "info",
      message: "serving",
      facts: { socket: listener.path ?? "handed over", ...identity(), runDirectory },
    });
    if (input.trace !== undefined) log({ level: "warning", message: "--trace has no effect: use --verbose" });
    writeMetrics();
    notify(context.env, "READY=1", `STATUS=serving ${listener.path ?? "the socket handed over"}`);
    if (isDetached(context.env)) context.err.line(READY_LINE);
    await served;
    await helper.book.flush();
    writeMetrics();
    log({
      level: "info",
      message: "ended",
      facts: { commands: metrics.total("commands"), extra: metrics.total("extra_commands") },
    });
  } finally {
    clearInterval(timer);
    queue.flush();
    threads.close();
    context.signal.removeEventListener("abort", stop);
  }
}

/** State that cannot be kept is no reason to serve nobody later, but every reason not to begin. */
function insistOnWriting(runDirectory: string): void {
  const probe = join(join(runDirectory, LUN_DIRECTORY), `.probe-${Deno.pid}`);
  try {
    Deno.writeTextFileSync(probe, "");
    Deno.removeSync(probe);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new PrmigError("failed", {
      message: `Cannot keep state in ${runDirectory}: ${error.message}`,
      lun: "not touched",
      remedy: `let this user write there, or name another directory: PRMIG_RUN_DIR`,
    }, { cause: error });
  }
}

function openEvents(runDirectory: string): EventLog {
  try {
    return new EventLog(runDirectory);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new PrmigError("failed", {
      message: `Cannot write events in ${runDirectory}: ${error.message}`,
      lun: "not touched",
      remedy: "let this user write there, or name another directory: PRMIG_RUN_DIR",
    }, { cause: error });
  }
}

function keep(
  some: readonly PrEvent[],
  events: EventLog,
  log: (line: LogLine) => void,
  metrics: Metrics,
): void {
  try {
    events.write(...some);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    metrics.count("state_failures");
    log({ level: "error", message: "events cannot be written", facts: { count: some.length, why: error.message } });
  }
}

function logTo({ quiet }: Input, { err, verbose }: CommandContext): (line: LogLine) => void {
  const shown: readonly LogLine["level"][] = quiet
    ? ["warning", "error"]
    : verbose
    ? ["debug", "info", "warning", "error"]
    : ["info", "warning", "error"];
  return (line) => {
    if (shown.includes(line.level)) err.line(formatLog(line, new Date()));
  };
}

function identity(): Record<string, string | number> {
  const { uid, gid, effective } = privileges();
  return { pid: Deno.pid, uid, gid, capabilities: `0x${effective.toString(16)}` };
}
