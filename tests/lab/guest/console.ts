/**
 * The guest's serial port: commands go in as lines, everything it prints is kept with the time of its arrival.
 *
 * @module
 */
import { isGone } from "./qmp.ts";

export interface ConsoleLine {
  readonly text: string;
  /** performance.now() on arrival. */
  readonly at: number;
}

/** One round of `guest tick`. */
export interface Tick {
  readonly counter: number;
  readonly ok: boolean;
  /** The guest's clock, seconds. */
  readonly guestSeconds: number;
  readonly latencyMs: number;
  /** Only of a failed one. */
  readonly errno?: number;
  readonly at: number;
}

export class Console implements Disposable {
  readonly lines: ConsoleLine[] = [];
  /** What came after the last line: a guest that moves to another QEMU ends its line there. */
  rest = "";
  #connection: Deno.Conn;
  #listeners = new Set<() => void>();
  #mark = 1;
  #gone = false;
  #closed = false;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
    void this.#listen();
  }

  static async connect(path: string): Promise<Console> {
    return new Console(await Deno.connect({ transport: "unix", path }));
  }

  /** Sends a line without waiting for anything. */
  async send(line: string): Promise<void> {
    await this.#connection.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Runs a shell command in the guest and waits for its end. Lines of a running tick are not part of its output. */
  async run(command: string, timeoutMs = 60_000): Promise<{ code: number; output: string }> {
    const mark = `guest: end ${this.#mark++} `;
    const from = this.lines.length;
    await this.send(`${command}; echo "${mark}$?"`);
    const last = await this.line((text) => text.startsWith(mark), timeoutMs, from);
    const printed = this.lines.slice(from, this.lines.indexOf(last));
    const output = printed.map(({ text }) => text).filter((text) => !text.startsWith("tick ")).join("\n");
    return { code: Number(last.text.slice(mark.length)), output };
  }

  /** The first line, from the `from`-th on, for which `wanted` holds. */
  async line(wanted: (text: string) => boolean, timeoutMs = 60_000, from = 0): Promise<ConsoleLine> {
    const deadline = Date.now() + timeoutMs;
    for (let at = from;;) {
      for (; at < this.lines.length; at++) if (wanted(this.lines[at]!.text)) return this.lines[at]!;
      const left = this.#gone ? 0 : deadline - Date.now();
      if (left <= 0) {
        const why = this.#gone ? "before QEMU went away" : `in ${timeoutMs} ms`;
        const seen = this.lines.slice(-10).map(({ text }) => text).join("\n");
        throw new Error(`the guest did not say it ${why}; its last lines:\n${seen}`);
      }
      await this.#next(left);
    }
  }

  /** All ticks so far, in order. */
  ticks(): Tick[] {
    return this.lines.map(parseTick).filter((tick) => tick !== undefined);
  }

  /** Waits until `count` more ticks have come, and gives those. */
  async moreTicks(count: number, timeoutMs = 60_000): Promise<Tick[]> {
    const from = this.ticks().length;
    const deadline = Date.now() + timeoutMs;
    while (this.ticks().length < from + count) {
      const left = this.#gone ? 0 : deadline - Date.now();
      if (left <= 0) throw new Error(`${this.ticks().length - from} of ${count} ticks came in ${timeoutMs} ms`);
      await this.#next(left);
    }
    return this.ticks().slice(from);
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.#connection.close();
    this.#closed = true;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    try {
      for (;;) {
        const count = await this.#connection.read(buffer);
        if (count === null) return;
        this.rest += decoder.decode(buffer.subarray(0, count), { stream: true });
        for (let end = this.rest.indexOf("\n"); end >= 0; end = this.rest.indexOf("\n")) {
          this.lines.push({ text: this.rest.slice(0, end).replace(/\r$/, ""), at: performance.now() });
          this.rest = this.rest.slice(end + 1);
        }
        for (const wake of this.#listeners) wake();
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      this.#gone = true;
      for (const wake of this.#listeners) wake();
    }
  }

  #next(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#listeners.add(wake);
    });
  }
}

/** A line of `guest tick`, or undefined. */
export function parseTick({ text, at }: ConsoleLine): Tick | undefined {
  const [, counter, word, seconds, latency, errno] =
    /^tick (\d+) (ok|FAIL) t=([\d.]+) lat=([\d.]+)(?: errno=(\d+))?/.exec(text) ?? [];
  if (counter === undefined) return undefined;
  const tick = {
    counter: Number(counter),
    ok: word === "ok",
    guestSeconds: Number(seconds),
    latencyMs: Number(latency),
    at,
  };
  return errno === undefined ? tick : { ...tick, errno: Number(errno) };
}
