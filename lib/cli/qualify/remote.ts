/**
 * A nexus of another host: each command goes to `prmig qualify-relay` there, and its answer comes back.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { linesOf } from "../../migrate/lines.ts";
import type { CommandOptions, InitiatorHint, Nexus, Reply } from "../../pr/nexus.ts";
import { COMMAND_TIMEOUT_MS } from "../../qualify/talk.ts";
import { Slots } from "../../sys/slots.ts";
import type { Duplex } from "../hand_over/duplex.ts";
import type { Use } from "./use.ts";
import { decodeAnswer, decodeGreeting, encodeAsk, type Greeting, NotOurs } from "./wire.ts";

/** How much longer than the command itself its answer may take to come back, in milliseconds. */
const ON_THE_WAY_MS = 10_000;

/** Greets the far end, within `timeoutMs`. Rejects with its failure, or with PrmigError `device`. */
export async function openRemote(address: string, duplex: Duplex, timeoutMs: number): Promise<RemoteNexus> {
  const lines = linesOf(duplex.readable);
  try {
    const first = await nextLine(address, lines, timeoutMs);
    return new RemoteNexus(address, duplex, lines, understood(address, () => decodeGreeting(first)));
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    throw new PrmigError("device", {
      message: `Cannot reach ${address}: ${error.why}`,
      device: address,
      lun: "unchanged: it was only read, if at all",
      remedy: "see what ssh said; prmig has to be installed there, and in the PATH of that user",
    });
  }
}

/** A {@link Nexus} over a connection. One command at a time; the first failure of the connection is the last command. */
export class RemoteNexus implements Nexus {
  readonly initiator: InitiatorHint | null;
  /** What that host does with the LUN. */
  readonly use: Use;
  readonly #turns = new Slots(1);
  #lastId = 0;
  #broken: unknown = null;

  constructor(
    readonly address: string,
    private readonly duplex: Duplex,
    private readonly lines: AsyncGenerator<string>,
    greeting: Greeting,
  ) {
    this.initiator = greeting.initiator;
    this.use = greeting.use;
  }

  /** Rejects with PrmigError `device` when the connection has ended: whether the command was executed is then unknown. */
  execute(cdb: Uint8Array, data: Uint8Array | number, options: CommandOptions = {}): Promise<Reply> {
    return this.#turns.run(async () => {
      if (this.#broken !== null) throw this.#broken;
      const { timeoutMs = COMMAND_TIMEOUT_MS } = options;
      const id = ++this.#lastId;
      const answered = await this.#exchange(encodeAsk({ id, cdb, data, timeoutMs }), timeoutMs);
      if ("failure" in answered) throw answered.failure;
      return answered.reply;
    });
  }

  async #exchange(line: string, timeoutMs: number): Promise<ReturnType<typeof decodeAnswer>> {
    try {
      await written(this.address, this.duplex, line);
      const text = await nextLine(this.address, this.lines, timeoutMs + ON_THE_WAY_MS);
      const answer = understood(this.address, () => decodeAnswer(text));
      if (answer.id === this.#lastId) return answer;
      if ("failure" in answer) throw answer.failure;
      throw new Gone(this.address, "it answers what was not asked");
    } catch (error) {
      this.#broken = error;
      throw error;
    }
  }

  /** Ends the connection; the far end then takes back what was registered through it. */
  close(): void {
    this.#broken ??= new Gone(this.address, "the connection was closed");
    this.ended ??= this.duplex.close();
  }

  /** Resolves when the far end has ended, once it was closed. */
  ended: Promise<void> | null = null;
}

async function written(address: string, { write }: Duplex, line: string): Promise<void> {
  try {
    await write(new TextEncoder().encode(line));
  } catch (error) {
    throw new Gone(address, error instanceof Error ? error.message : String(error));
  }
}

async function nextLine(address: string, lines: AsyncGenerator<string>, timeoutMs: number): Promise<string> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), timeoutMs);
  try {
    const next = await Promise.race([lines.next(), late.promise]);
    if (next === "late") throw new Gone(address, `nothing came from there within ${timeoutMs / 1000} s`);
    if (next.done) throw new Gone(address, "the connection has ended");
    return next.value;
  } catch (error) {
    if (!(error instanceof PrmigError) || error.kind === "device") throw error;
    throw new Gone(address, error.message);
  } finally {
    clearTimeout(timer);
  }
}

function understood<T>(address: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NotOurs)) throw error;
    throw new Gone(address, `it says something else (${error.message}); is it the same version of prmig?`);
  }
}

/** The connection is of no use any more. */
class Gone extends PrmigError {
  constructor(address: string, readonly why: string) {
    super("device", {
      message: `Cannot go on with ${address}: ${why}`,
      device: address,
      lun: "not known; a command may have been under way",
      remedy: "see what ssh said; then run prmig qualify again, which takes away what is left",
    });
  }
}
