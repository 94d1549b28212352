/**
 * A QMP client for the lab's tests: commands with a deadline, events kept in order of arrival. It shares no code with
 * prmig, and talks to a socket of its own beside the one that prmig gets.
 *
 * @module
 */

export interface QmpEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
  /** Microseconds since 1970, QEMU's clock. */
  readonly at: number;
}

/** QEMU refused a command. */
export class QmpError extends Error {
  override name = "QmpError";
}

const TIMEOUT_MS = 30_000;

export class Qmp implements Disposable {
  /** Every event so far. */
  readonly events: QmpEvent[] = [];
  #connection: Deno.Conn;
  #nextId = 1;
  #waiting = new Map<number, (answer: Answer) => void>();
  #listeners = new Set<() => void>();
  #ended: Promise<void>;
  #gone = false;
  #closed = false;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.#ended = this.#listen();
  }

  /** Connects and negotiates. */
  static async connect(path: string): Promise<Qmp> {
    const qmp = new Qmp(await Deno.connect({ transport: "unix", path }));
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  /** The command's return value. @throws QmpError if QEMU refuses it, goes away, or does not answer in time */
  async execute(command: string, args: Record<string, unknown> = {}, timeoutMs = TIMEOUT_MS): Promise<unknown> {
    const id = this.#nextId++;
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const line = JSON.stringify({ execute: command, arguments: args, id });
    await this.#connection.write(new TextEncoder().encode(`${line}\n`));
    const timer = setTimeout(() => this.#answer(id, { error: { desc: `no answer in ${timeoutMs} ms` } }), timeoutMs);
    const { error, return: value } = await answer;
    clearTimeout(timer);
    if (error) throw new QmpError(`${command}: ${error.desc}`);
    return value;
  }

  /** The first event, from the `from`-th on, for which `wanted` holds. @throws QmpError if it does not come */
  async event(wanted: (event: QmpEvent) => boolean, timeoutMs = TIMEOUT_MS, from = 0): Promise<QmpEvent> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.events.slice(from).find(wanted);
      if (found) return found;
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new QmpError(`no such event in ${timeoutMs} ms; seen: ${this.events.map((e) => e.event).join()}`);
      }
      await this.#next(left);
    }
  }

  /** Until query-migrate says `completed`. @throws QmpError if it says failed or cancelled */
  async migrated(timeoutMs = TIMEOUT_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const { status } = await this.execute("query-migrate") as { status?: string };
      if (status === "completed") return;
      if (status === "failed" || status === "cancelled") throw new QmpError(`the migration ended as ${status}`);
      if (Date.now() > deadline) throw new QmpError(`the migration is still ${status} after ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Resolves when QEMU has closed the connection. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.#connection.close();
    this.#closed = true;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    let text = "";
    try {
      for (;;) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        text += decoder.decode(buffer.subarray(0, count), { stream: true });
        for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
          this.#take(JSON.parse(text.slice(0, end)));
          text = text.slice(end + 1);
        }
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      this.#gone = true;
      for (const wake of this.#listeners) wake();
      for (const id of [...this.#waiting.keys()]) this.#answer(id, { error: { desc: "QEMU went away" } });
    }
  }

  #take(message: Message): void {
    if (message.event !== undefined) {
      const { seconds, microseconds } = message.timestamp!;
      this.events.push({ event: message.event, data: message.data ?? {}, at: seconds * 1e6 + microseconds });
      for (const wake of this.#listeners) wake();
    } else if (message.id !== undefined) {
      this.#answer(message.id, message);
    }
  }

  #answer(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
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

interface Answer {
  readonly error?: { readonly desc: string };
  readonly return?: unknown;
}

interface Message extends Answer {
  readonly id?: number;
  readonly event?: string;
  readonly data?: Record<string, unknown>;
  readonly timestamp?: { readonly seconds: number; readonly microseconds: number };
}

/** The ways in which a connection ends that are no fault: QEMU was killed, or we closed it. */
export function isGone(error: unknown): boolean {
  return [Deno.errors.ConnectionReset, Deno.errors.BadResource, Deno.errors.Interrupted, Deno.errors.BrokenPipe]
    .some((kind) => error instanceof kind);
}
