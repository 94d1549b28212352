/**
 * The other end of sim_worker.ts: a process to give jobs to.
 *
 * @module
 */
import type { Job } from "./sim_worker.ts";

const WORKER = new URL("./sim_worker.ts", import.meta.url).pathname;

/** A process of its own that works on a simulated LUN's file. */
export class SimProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    const args = ["run", "-A", "--quiet", "--no-check", WORKER];
    this.#child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Gives a job and waits for its answer. Rejects when the job failed or the process died. */
  async do(job: Job["job"], file: string, nexus: string, count = 1): Promise<unknown> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify({ job, file, nexus, count }) + "\n"));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process is gone");
    const answer = JSON.parse(value) as { done?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.done;
  }

  /** SIGKILL, and wait until it is dead. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it was dead already
    }
    await this.#child.status;
    for (let next = await this.#lines.next(); !next.done; next = await this.#lines.next());
    await this.#input.abort();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
