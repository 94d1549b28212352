/**
 * A QMP connection: greeting, negotiation, commands by id, events, and an end that everybody who waits hears of.
 *
 *   connect -> greeting -> qmp_capabilities -> ready -> ... -> dead (closed, or what came was not QMP)
 *
 * Every command has a time limit: a QEMU in the middle of a switch-over answers nobody. An answer that comes after its
 * limit is dropped, and the connection can be used on. Memory is bounded: one message, a few commands, no queue of events.
 *
 * @module
 */
import { QmpError, type QmpFailure } from "./error.ts";
import { decodeMessage, encodeCommand, NotQmp, type QemuVersion, type QmpEvent, type QmpMessage } from "./message.ts";
import { JsonSplitter, NotJson } from "./split.ts";

/** Bytes to and from one QEMU. */
export interface QmpChannel {
  /** Where it leads, for people. */
  readonly address: string;
  readonly readable: ReadableStream<Uint8Array>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  close(): Promise<void>;
}

/** Time, as the client needs it: see lib/migrate/ports.ts. */
export interface QmpTimer {
  sleep(ms: number, wake?: Promise<unknown>): Promise<void>;
}

/** Bounds on what a QEMU, or something that says it is one, may make us keep. */
export const QMP_LIMITS = { messageBytes: 16 << 20, commands: 256 } as const;

/** What is known of a command on its way. */
interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: QmpError) => void;
}

/** A connection that is ready for commands. Made by {@link connectQmp}. */
export class QmpClient {
  #splitter = new JsonSplitter(QMP_LIMITS.messageBytes);
  #nextId = 1;
  #pending = new Map<number, Pending>();
  /** Ids whose command was given up; their answers may still come. */
  #abandoned = new Set<number>();
  #listeners = new Set<(event: QmpEvent) => void>();
  #greeted = Promise.withResolvers<QemuVersion>();
  #dead = Promise.withResolvers<QmpError>();
  #failure: QmpError | null = null;
  #writing: Promise<unknown> = Promise.resolve();
  #version: QemuVersion | null = null;

  constructor(private readonly channel: QmpChannel, private readonly timer: QmpTimer) {
    this.#greeted.promise.catch(() => undefined); // who waits for it hears of it; nobody may be waiting
    this.#listen();
  }

  /** Where it leads, for people. */
  get address(): string {
    return this.channel.address;
  }

  /** QEMU's version, from the greeting. */
  get version(): QemuVersion {
    if (this.#version === null) throw new TypeError("the version is known after the greeting");
    return this.#version;
  }

  /** Why the connection is over; `null` while it is not. */
  get failure(): QmpError | null {
    return this.#failure;
  }

  /** Settles when the connection is over, with the reason. */
  get ended(): Promise<QmpError> {
    return this.#dead.promise;
  }

  /** Waits for the greeting and leaves negotiation mode. Errors: {@link QmpError}. */
  async negotiate(timeoutMs: number): Promise<void> {
    this.#version = await this.#within(
      this.#greeted.promise,
      timeoutMs,
      () => this.#error("timeout", `${this.address} did not greet within ${timeoutMs / 1000} s`, null, false),
    );
    await this.execute("qmp_capabilities", undefined, timeoutMs);
  }

  /**
   * Executes one command and gives what it returns. Rejects with {@link QmpError}: `refused`, or with `mayBeDone` set when
   * the answer did not come.
   */
  async execute(command: string, args: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#failure) throw this.#over(command, false);
    if (this.#pending.size + this.#abandoned.size >= QMP_LIMITS.commands) {
      throw this.#error(
        "timeout",
        `${this.address} has left ${QMP_LIMITS.commands} commands unanswered`,
        command,
        false,
      );
    }
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, { command, resolve: answer.resolve, reject: answer.reject });
    // One after the other; a write that fails ends the connection, which rejects the answer.
    this.#writing = this.#writing.then(() => this.channel.write(encodeCommand(command, args, id))).catch((error) => {
      this.#end("closed", `the connection to ${this.address} broke: ${error instanceof Error ? error.message : error}`);
    });
    return await this.#within(answer.promise, timeoutMs, () => {
      this.#pending.delete(id);
      this.#abandoned.add(id);
      const text = `${this.address} did not answer ${command} within ${timeoutMs / 1000} s`;
      // Whatever it says from now on would be taken for the rest of what it began: another connection may be better off.
      if (!this.#splitter.between) this.#end("protocol", `${text}: it has not ended the message it began`);
      return this.#error("timeout", text, command, true);
    });
  }

  /** Calls `listener` for every event until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends the connection. Commands under way are rejected. */
  async close(): Promise<void> {
    this.#end("closed", `the connection to ${this.address} was closed`);
    await this.channel.close();
  }

  async #listen(): Promise<void> {
    const splitter = this.#splitter;
    try {
      for await (const chunk of this.channel.readable) {
        for (const text of splitter.take(chunk)) {
          if (this.#failure) return;
          this.#take(decodeMessage(text));
        }
      }
      const middle = splitter.between ? "" : " in the middle of a message";
      this.#end("closed", `${this.address} closed the connection${middle}`);
    } catch (error) {
      if (error instanceof NotQmp || error instanceof NotJson) {
        this.#end("protocol", `${this.address} does not speak QMP: ${error.message}`);
      } else {
        const why = error instanceof Error ? error.message : String(error);
        this.#end("closed", `the connection to ${this.address} broke: ${why}`);
      }
    }
  }

  #take(message: QmpMessage): void {
    if (this.#version === null && message.kind !== "greeting") {
      throw new NotQmp(`a message of kind ${message.kind} before the greeting`);
    }
    switch (message.kind) {
      case "greeting":
        if (this.#version !== null) throw new NotQmp("a second greeting");
        this.#version = message.version;
        return this.#greeted.resolve(message.version);
      case "event":
        for (const listener of [...this.#listeners]) listener(message.event);
        return;
      case "return":
      case "error":
        return this.#answer(message);
    }
  }

  #answer(message: Extract<QmpMessage, { kind: "return" | "error" }>): void {
    const { id } = message;
    if (id !== null && this.#abandoned.delete(id)) return;
    const pending = id === null ? undefined : this.#pending.get(id);
    if (!pending) {
      const what = message.kind === "error" ? `: ${message.desc}` : "";
      throw new NotQmp(`an answer to ${id === null ? "no command" : `command ${id}, which was never sent`}${what}`);
    }
    this.#pending.delete(id!);
    if (message.kind === "return") return pending.resolve(message.value);
    const { command } = pending;
    const { errorClass, desc } = message;
    pending.reject(
      new QmpError("refused", `${this.address} refused ${command}: ${desc}`, {
        address: this.address,
        command,
        errorClass,
        mayBeDone: false,
      }),
    );
  }

  #end(failure: QmpFailure, message: string): void {
    if (this.#failure) return;
    this.#failure = this.#error(failure, message, null, false);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#abandoned.clear();
    for (const { command, reject } of pending) reject(this.#over(command, true));
    this.#greeted.reject(this.#failure);
    this.#listeners.clear();
    this.#dead.resolve(this.#failure);
  }

  #over(command: string, mayBeDone: boolean): QmpError {
    const { failure, message } = this.#failure!;
    return this.#error(failure, `cannot ${command}: ${message}`, command, mayBeDone);
  }

  #error(failure: QmpFailure, message: string, command: string | null, mayBeDone: boolean): QmpError {
    return new QmpError(failure, message, { address: this.address, command, mayBeDone });
  }

  /** Races the answer against the clock; whatever comes second is of no interest. */
  async #within<T>(answer: Promise<T>, timeoutMs: number, late: () => QmpError): Promise<T> {
    const settled = answer.then(() => undefined, () => undefined);
    const timedOut = this.timer.sleep(timeoutMs, settled).then(() => LATE);
    const first = await Promise.race([answer, timedOut]);
    if (first !== LATE) return first as T;
    const last = await Promise.race([answer, Promise.resolve(LATE)]);
    if (last !== LATE) return last as T;
    throw late();
  }
}

const LATE = Symbol("late");

/** Greets and negotiates over a channel; closes it when that fails. Errors: {@link QmpError}. */
export async function connectQmp(channel: QmpChannel, timer: QmpTimer, timeoutMs: number): Promise<QmpClient> {
  const client = new QmpClient(channel, timer);
  try {
    await client.negotiate(timeoutMs);
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}
