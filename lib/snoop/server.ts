/**
 * Connections of the pr-helper protocol: accepts, reads requests, has them executed, writes replies, counts descriptors.
 *
 *     epoll ─ listener ─> accept, greeting
 *           └ connection ─> bytes ─> HelperConversation ─> execute ─> reply ─> next request
 *
 * One loop on the main thread; nothing in it waits but the epoll. A command runs while the loop goes on, so a slow one
 * delays nobody but its own connection, which the protocol allows one command at a time. A connection is closed where the
 * protocol says so (see CloseReason), when its peer is gone, and at the end of service when it is idle.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { Epoll, type Ready } from "../sys/epoll.ts";
import { SysError } from "../sys/errno.ts";
import { closeFd } from "../sys/fd.ts";
import { Receiver, sendNow } from "../sys/message.ts";
import { accept, type Listener, type Peer, peerOf } from "../sys/unix_socket.ts";
import {
  type CloseReason,
  encodeGreeting,
  encodeReply,
  type HelperAnswer,
  HelperConversation,
  type HelperRequest,
  type Step,
  WIRE,
} from "./helper_protocol.ts";

/** One connected client. */
export interface Client {
  /** Counts up from 1, never used twice. */
  readonly id: number;
  readonly peer: Peer;
}

/** What the server calls. Nothing here may throw. */
export interface ServerHooks {
  /**
   * Executes one command. `reply` takes the answer, exactly once; the promise settles when the descriptor is no longer
   * needed, which may be later. The server closes the descriptor.
   */
  readonly execute: (client: Client, request: HelperRequest, reply: (answer: HelperAnswer) => void) => Promise<void>;
  readonly connected?: (client: Client) => void;
  /** `reason`: an end the protocol has a name for, or the error of the socket. */
  readonly closed?: (client: Client, reason: CloseReason | SysError | "serviceEnds") => void;
  /** No connection can be accepted for now: the table of descriptors is full, or there are too many clients. */
  readonly turnedAway?: (why: string) => void;
  /** A defect: `execute` rejected. The client has been answered HARDWARE ERROR. */
  readonly defect?: (error: unknown) => void;
}

interface Connection {
  readonly fd: number;
  readonly client: Client;
  readonly conversation: HelperConversation;
  /** What the socket did not take yet. */
  unsent: Bytes | null;
  open: boolean;
  /** Its requests are being read, further up the stack: an answer given on the spot must not read the next one there. */
  pumping: boolean;
}

/** 04/44/00 INTERNAL TARGET FAILURE: the answer when a defect of ours left a command without one. */
const INTERNAL_FAILURE: HelperAnswer = {
  status: 2,
  sense: Uint8Array.of(0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0),
  data: new Uint8Array(),
};
const RETRY_ACCEPT_MS = 100;
const POLLS_BETWEEN_WAITS = 4;

/** Serves until {@link stop}, then until the last command has been answered. */
export class HelperServer {
  readonly #epoll = new Epoll();
  readonly #receiver = new Receiver(WIRE.maxData);
  readonly #connections = new Map<number, Connection>();
  #running = 0;
  #accepted = 0;
  #stopping = false;
  #acceptTimer: ReturnType<typeof setTimeout> | null = null;

  /** `maxClients`: connections beyond this are closed at once, before their greeting. The listener is the caller's to close. */
  constructor(readonly listener: Listener, readonly hooks: ServerHooks, readonly maxClients: number) {
    this.#epoll.add(listener.fd);
  }

  /** Connections that are open now. */
  get clients(): number {
    return this.#connections.size;
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
    while (!this.#stopping || this.#connections.size > 0 || this.#running > 0) {
      for (const ready of await this.#epoll.wait()) this.#handle(ready);
      // What has come meanwhile costs no second hop to a thread; but commands that have ended want their turn.
      for (let more = 0; more < POLLS_BETWEEN_WAITS; more++) {
        const ready = this.#epoll.poll();
        if (ready.length === 0) break;
        ready.forEach((each) => this.#handle(each));
      }
    }
    if (this.#acceptTimer !== null) clearTimeout(this.#acceptTimer);
    this.#epoll.close();
  }

  /** Ends service: no new connections, idle ones are dropped, commands under way are answered first. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#epoll.remove(this.listener.fd);
    for (const connection of [...this.#connections.values()]) {
      if (connection.conversation.wants !== null && !connection.unsent) this.#close(connection, "serviceEnds");
    }
    this.#epoll.ring();
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
    const connection = { fd, client, conversation: new HelperConversation(), unsent: null, open: true, pumping: false };
    this.#connections.set(fd, connection);
    this.#epoll.add(fd);
    this.hooks.connected?.(client);
    this.#write(connection, encodeGreeting());
    this.#pump(connection); // a client in a hurry has sent something already
  }

  /** Reads until the conversation wants no more, or nothing is there. */
  #pump(connection: Connection): void {
    if (connection.pumping) return;
    connection.pumping = true;
    while (connection.open && !connection.unsent && this.#read(connection));
    connection.pumping = false;
  }

  /** Reads once; false when there is nothing to read now. */
  #read(connection: Connection): boolean {
    const { fd, conversation } = connection;
    const wants = conversation.wants;
    if (!wants) return false;
    const received = this.#receiver.receive(fd, wants.bytes, wants.descriptors);
    switch (received.kind) {
      case "nothingYet":
        return false;
      case "failed":
        this.#fail(connection, new SysError("recvmsg", "a client's socket", received.errno));
        return false;
      case "end":
        this.#act(connection, conversation.endOfFile());
        return false;
      case "data":
        this.#act(connection, conversation.receive(received.bytes, received.descriptors, received.surplus));
        return true;
    }
  }

  #act(connection: Connection, step: Step): void {
    if (step.kind === "execute") this.#execute(connection, step.request);
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
      this.#reply(connection, request.cdb, answer);
    };
    this.hooks.execute(connection.client, request, reply)
      .catch((error: unknown) => this.hooks.defect?.(error))
      .finally(() => {
        closeFd(request.descriptor);
        this.#running--;
        if (!answered) reply(INTERNAL_FAILURE);
        if (this.#stopping) this.#epoll.ring();
      });
  }

  #reply(connection: Connection, cdb: Bytes, answer: HelperAnswer): void {
    if (!connection.open) return;
    connection.conversation.replied();
    this.#write(connection, this.#encode(cdb, answer));
    if (this.#stopping && connection.open && !connection.unsent) return this.#close(connection, "serviceEnds");
    this.#pump(connection);
  }

  #encode(cdb: Bytes, answer: HelperAnswer): Bytes {
    try {
      return encodeReply(cdb, answer);
    } catch (error) {
      this.hooks.defect?.(error);
      return encodeReply(cdb, INTERNAL_FAILURE);
    }
  }

  #write(connection: Connection, bytes: Bytes): void {
    try {
      const sent = sendNow(connection.fd, bytes);
      if (sent === bytes.length) return;
      connection.unsent = bytes.subarray(sent);
      this.#epoll.watchWriting(connection.fd, true);
    } catch (error) {
      this.#fail(connection, error);
    }
  }

  #flush(connection: Connection): void {
    const bytes = connection.unsent;
    if (!bytes) return;
    try {
      const rest = bytes.subarray(sendNow(connection.fd, bytes));
      connection.unsent = rest.length > 0 ? rest : null;
      if (connection.unsent) return;
      this.#epoll.watchWriting(connection.fd, false);
    } catch (error) {
      return this.#fail(connection, error);
    }
    if (this.#stopping && connection.conversation.idle) this.#close(connection, "serviceEnds");
  }

  /** The socket itself failed: its peer is gone. */
  #fail(connection: Connection, error: unknown): void {
    if (!(error instanceof SysError)) throw error;
    if (connection.conversation.wants) this.#abandon(connection);
    this.#close(connection, error);
  }

  /** Gives back a descriptor that came with half a request. */
  #abandon(connection: Connection): void {
    const step = connection.conversation.endOfFile();
    if (step.kind === "close") step.descriptors.forEach(closeFd);
  }

  #close(connection: Connection, reason: CloseReason | SysError | "serviceEnds"): void {
    if (!connection.open) return;
    connection.open = false;
    if (reason === "serviceEnds" && connection.conversation.wants) this.#abandon(connection);
    this.#connections.delete(connection.fd);
    this.#epoll.remove(connection.fd);
    closeFd(connection.fd);
    this.hooks.closed?.(connection.client, reason);
  }
}
