/**
 * A QEMU made of a script: it greets, answers as the test wants, and keeps what it was told. In memory.
 *
 * @module
 */
import { connectQmp, type QmpChannel, type QmpClient } from "../../lib/qmp/client.ts";
import { VirtualClock } from "./virtual_clock.ts";

export const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}\r\n';

/** One command as the server read it. */
export interface Told {
  readonly execute: string;
  readonly arguments?: unknown;
  readonly id: number;
}

/** The server's end of an in-memory QMP connection. */
export class ScriptedQmp {
  readonly told: Told[] = [];
  readonly channel: QmpChannel;
  #out!: ReadableStreamDefaultController<Uint8Array>;
  #over = false;
  closed = false;

  /** `answer` gets every command; what it returns is sent, text by text. */
  constructor(private readonly answer: (told: Told) => readonly string[] = ok) {
    this.channel = {
      address: "/run/src/qmp",
      readable: new ReadableStream({
        start: (controller) => void (this.#out = controller),
        cancel: () => void (this.#over = true),
      }),
      write: (bytes) => this.#take(bytes),
      close: () => {
        this.closed = true;
        this.end();
        return Promise.resolve();
      },
    };
  }

  /** Says something: a text as it stands, or bytes. */
  say(what: string | Uint8Array): void {
    if (!this.#over) this.#out.enqueue(typeof what === "string" ? new TextEncoder().encode(what) : what);
  }

  /** Closes the connection; with an error it breaks. */
  end(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    if (error) this.#out.error(error);
    else this.#out.close();
  }

  #take(bytes: Uint8Array): Promise<void> {
    if (this.#over) return Promise.reject(new Error("Broken pipe (os error 32)"));
    for (const line of new TextDecoder().decode(bytes).split("\r\n").filter((part) => part !== "")) {
      const told = JSON.parse(line) as Told;
      this.told.push(told);
      for (const text of this.answer(told)) this.say(text);
    }
    return Promise.resolve();
  }
}

/** `{"return": {}}` to everything. */
export function ok({ id }: Told): string[] {
  return [`{"return": {}, "id": ${id}}\r\n`];
}

/** A client that has negotiated with a server which answers by `answer` from then on. */
export async function connected(
  answer: (told: Told) => readonly string[] = ok,
): Promise<{ client: QmpClient; server: ScriptedQmp; clock: VirtualClock }> {
  const clock = new VirtualClock();
  const server = new ScriptedQmp((told) => told.execute === "qmp_capabilities" ? ok(told) : answer(told));
  server.say(GREETING);
  return { client: await connectQmp(server.channel, clock, 5000), server, clock };
}
