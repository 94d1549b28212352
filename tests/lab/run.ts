/**
 * Programs run by the lab's tests: to their end, or side by side with the test, or two with a pipe between them.
 *
 * @module
 */

export interface RunOptions {
  /** Text for standard input; none if undefined. */
  readonly stdin?: string;
  /** Variables besides our own. */
  readonly env?: Record<string, string>;
  /** SIGKILL after this time; 60 s if undefined. */
  readonly timeoutMs?: number;
}

export interface Finished {
  /** Exit code, or 128 + signal number. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs beside the test. */
export interface Running {
  readonly pid: number;
  /** How it ended, when it has. */
  readonly finished: Promise<Finished>;
  /** Safe when it has ended already. */
  kill(signal: Deno.Signal): void;
  /** What it has printed so far. */
  printed(): { stdout: string; stderr: string };
}

const TIMEOUT_MS = 60_000;

export function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return start(argv, options).finished;
}

/** Runs a program that has to end with 0; its standard output. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options);
  if (code !== 0) throw new Error(`${argv.join(" ")}: exit ${code}: ${stderr}`);
  return stdout;
}

/** Starts a program; whoever starts it waits for `finished`. */
export function start(argv: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(argv, options, options.stdin === undefined ? "null" : "piped");
  if (options.stdin !== undefined) void feed(child.stdin, new Blob([options.stdin]).stream());
  return watch(child, options);
}

export interface Piped {
  readonly left: Running;
  readonly right: Running;
}

/** `left | right`, with both ends in the test's hands. */
export function pipe(left: readonly string[], right: readonly string[], options: RunOptions = {}): Piped {
  const source = spawn(left, options, "null");
  const sink = spawn(right, options, "piped");
  const [kept, passed] = source.stdout.tee();
  void feed(sink.stdin, passed);
  return { left: watch(source, options, kept), right: watch(sink, options) };
}

function spawn(argv: readonly string[], options: RunOptions, stdin: "null" | "piped"): Deno.ChildProcess {
  const [program, ...args] = argv as [string, ...string[]];
  return new Deno.Command(program, { args, env: options.env ?? {}, stdin, stdout: "piped", stderr: "piped" }).spawn();
}

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

function watch(child: Deno.ChildProcess, options: RunOptions, stdout: Bytes = child.stdout): Running {
  const seen = { stdout: "", stderr: "" };
  const collect = async (name: "stdout" | "stderr", stream: Bytes): Promise<void> => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) seen[name] += text;
  };
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? TIMEOUT_MS);
  const finished = (async () => {
    const [{ code, signal }] = await Promise.all([
      child.status.finally(() => clearTimeout(timer)),
      collect("stdout", stdout),
      collect("stderr", child.stderr),
    ]);
    return { code, signal, ...seen };
  })();
  const kill = (signal: Deno.Signal): void => {
    try {
      child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
  };
  return { pid: child.pid, finished, kill, printed: () => ({ ...seen }) };
}

/** A reader that goes away early (it exits, or is killed) is no error of the test's. */
async function feed(to: WritableStream<Uint8Array>, from: ReadableStream<Uint8Array>): Promise<void> {
  try {
    await from.pipeTo(to);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
