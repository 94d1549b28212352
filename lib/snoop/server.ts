/**
 * Connections of the pr-helper protocol: accepts, reads requests, has them executed, writes replies, counts descriptors.
 *
 *     epoll ─ listener ─> accept, greeting
 *           └ connection ─> bytes ─> HelperConversation ─> execute ─> reply ─> next request
 *
 * One loop on the main thread (serve_loop.ts); nothing in it waits but the epoll. A command runs while the loop goes on, so
 * a slow one delays nobody but its own connection, which the protocol allows one command at a time. A connection is closed
 * where the protocol says so (see CloseReason), when its peer is gone, and at the end of service when it is idle.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import type { Ready } from "../sys/epoll.ts";
import { SysError } from "../sys/errno.ts";
import { closeFd } from "../sys/fd.ts";
import { Receiver } from "../sys/message.ts";
import { accept, type Listener, peerOf } from "../sys/unix_socket.ts";
import { Connection } from "./connection.ts";
import {
  type CloseReason,
  encodeGreeting,
  encodeReply,
  type HelperAnswer,
  type HelperRequest,
  type Step,
  WIRE,
} from "./helper_protocol.ts";
import { type Attendant, ServeLoop } from "./serve_loop.ts";
import type { ServerHooks } from "./server_hooks.ts";
import type { TurnClock } from "./turn_clock.ts";

/** 04/44/00 INTERNAL TARGET FAILURE: the answer when a defect of ours left a command without one. */
const INTERNAL_FAILURE: HelperAnswer = {
  status: 2,
  sense: Uint8Array.of(0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0),
  data: new Uint8Array(),
};
const RETRY_ACCEPT_MS = 100;

/** Serves until {@link stop}, then until the last command has been answered. */
export class HelperServer {
  readonly #loop: ServeLoop;
  readonly #receiver = new Receiver(WIRE.maxData);
  /** Room for the reply that is about to leave. */
  readonly #reply: Bytes = new Uint8Array(WIRE.replyHeader + WIRE.maxData);
  readonly #connections = new Map<number, Connection>();
  /**
   * Answered, and not looked at since: a client sends its next command when it has the answer, so a look right after it finds
   * nothing, and costs as much as one that does. What arrived earlier is found when the loop pauses, 10 ms later at most.
   */
  readonly #answered = new Set<Connection>();
  #running = 0;
  #accepted = 0;
  #stopping = false;
  #acceptTimer: ReturnType<typeof setTimeout> | null = null;

  /** `maxClients`: connections beyond this are closed at once, before their greeting. The listener is the caller's to close. */
  constructor(
    readonly listener: Listener,
    readonly hooks: ServerHooks,
    readonly maxClients: number,
    attendant: Attendant | null = null,
    clock?: TurnClock,
  ) {
    this.#loop = new ServeLoop(attendant, {
      handle: (ready) => this.#handle(ready),
      moving: () => this.#running - (hooks.waiting?.() ?? 0),
      pause: () => {
        for (const connection of this.#answered) this.#pump(connection);
        hooks.pause?.();
      },
      inRuntime: () => hooks.inRuntime?.() ?? false,
      over: () => this.#stopping && this.#connections.size === 0 && this.#running === 0,
    }, clock);
    this.#loop.epoll.add(listener.fd);
  }

  /** Connections that are open now. */
  get clients(): number {
    return this.#connections.size;
  }

  /** Things happen, and the hook `pause` will be called before long. */
  get going(): boolean {
    return this.#loop.going;
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Commands under way now, those included whose client has its answer already. */
  get running(): number {
    return this.#running;
  }

  /** Resolves when service has ended and every descriptor but the listener's is closed. */
  async run(): Promise<void> {
    await this.#loop.run();
    if (this.#acceptTimer !== null) clearTimeout(this.#acceptTimer);
  }

  /** Ends service: no new connections, idle ones are dropped, commands under way are answered first. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#loop.epoll.remove(this.listener.fd);
    for (const connection of [...this.#connections.values()]) {
      if (connection.conversation.wants !== null && !connection.unsent) this.#close(connection, "serviceEnds");
    }
    this.#loop.epoll.ring();
  }

  #handle(ready: Ready): void {
    if (ready.fd === this.listener.fd) return this.#accept();
    const connection = this.#connections.get(ready.fd);
    if (!connection) return; // closed earlier in this batch
    if (ready.writable) this.#flush(connection);
    this.#pump(connection);
  }

  #accept(): void {
    if (this.#stopping) return;
    try {
      for (let fd = accept(this.listener.fd); fd !== null; fd = accept(this.listener.fd)) this.#welcome(fd);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.hooks.turnedAway?.(error.message);
      // Nothing will report this connection again, so look again ourselves.
      this.#acceptTimer ??= setTimeout(() => (this.#acceptTimer = null, this.#accept()), RETRY_ACCEPT_MS);
    }
  }

  #welcome(fd: number): void {
    if (this.#connections.size >= this.maxClients) {
      this.hooks.turnedAway?.(`${this.maxClients} clients are connected`);
      return closeFd(fd);
    }
    const client = { id: ++this.#accepted, peer: peerOf(fd) };
    const connection = new Connection(fd, client);
    this.#connections.set(fd, connection);
    this.#loop.epoll.add(fd);
    this.hooks.connected?.(client);
    this.#send(connection, encodeGreeting());
    this.#pump(connection); // a client in a hurry has sent something already
  }

  /** Reads until the conversation wants no more, or nothing is there. */
  #pump(connection: Connection): void {
    if (connection.pumping) return;
    this.#answered.delete(connection);
    connection.pumping = true;
    while (connection.open && !connection.unsent) {
      const step = connection.read(this.#receiver);
      if (step === null) break;
      this.#act(connection, step);
    }
    connection.pumping = false;
  }

  #act(connection: Connection, step: Step | SysError): void {
    if (step instanceof SysError) this.#fail(connection, step);
    else if (step.kind === "execute") this.#execute(connection, step.request);
    else if (step.kind === "close") {
      step.descriptors.forEach(closeFd);
      this.#close(connection, step.reason);
    }
  }

  #execute(connection: Connection, request: HelperRequest): void {
    this.#running++;
    let answered = false;
    const reply = (answer: HelperAnswer): void => {
      if (answered) throw new RangeError("a command is answered once");
      answered = true;
      this.#answer(connection, request.cdb, answer);
    };
    void this.#settle(connection, request, reply, () => answered);
  }

  async #settle(
    { client }: Connection,
    request: HelperRequest,
    reply: (answer: HelperAnswer) => void,
    answered: () => boolean,
  ): Promise<void> {
    try {
      await this.hooks.execute(client, request, reply);
    } catch (error) {
      this.hooks.defect?.(error);
    }
    closeFd(request.descriptor);
    this.#running--;
    if (!answered()) reply(INTERNAL_FAILURE);
    if (this.#stopping) this.#loop.epoll.ring();
  }

  #answer(connection: Connection, cdb: Bytes, answer: HelperAnswer): void {
    if (!connection.open) return;
    connection.conversation.replied();
    this.#send(connection, this.#encode(cdb, answer));
    if (this.#stopping && connection.open && !connection.unsent) return this.#close(connection, "serviceEnds");
    if (this.#loop.going) this.#answered.add(connection);
    else this.#pump(connection);
  }

  #encode(cdb: Bytes, answer: HelperAnswer): Bytes {
    try {
      return encodeReply(cdb, answer, this.#reply);
    } catch (error) {
      this.hooks.defect?.(error);
      return encodeReply(cdb, INTERNAL_FAILURE, this.#reply);
    }
  }

  #send(connection: Connection, bytes: Bytes): void {
    try {
      if (!connection.send(bytes)) this.#loop.epoll.watchWriting(connection.fd, true);
    } catch (error) {
      this.#fail(connection, error);
    }
  }

  #flush(connection: Connection): void {
    if (!connection.unsent) return;
    try {
      if (!connection.flush()) return;
      this.#loop.epoll.watchWriting(connection.fd, false);
    } catch (error) {
      return this.#fail(connection, error);
    }
    if (this.#stopping && connection.idle) this.#close(connection, "serviceEnds");
  }

  /** The socket itself failed: its peer is gone. */
  #fail(connection: Connection, error: unknown): void {
    if (!(error instanceof SysError)) throw error;
    connection.abandon();
    this.#close(connection, error);
  }

  #close(connection: Connection, reason: CloseReason | SysError | "serviceEnds"): void {
    if (!connection.open) return;
    connection.open = false;
    if (reason === "serviceEnds") connection.abandon();
    this.#connections.delete(connection.fd);
    this.#answered.delete(connection);
    this.#loop.epoll.remove(connection.fd);
    closeFd(connection.fd);
    this.hooks.closed?.(connection.client, reason);
  }
}
