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

/** Something else to be served in the same loop. */
export interface Attendant {
  /** Watched for reading. */
  readonly fd: number;
  /** Called when there is something to read; reads all of it. Must not throw. */
  readonly collect: () => void;
  /** Commands it will report; those that have begun and that it does not have are on their way to an answer. */
  readonly underWay: number;
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
/**
 * Milliseconds that the loop waits by itself while things happen, and after which the runtime has its turn at the latest
 * (timers, files, signals). A wait through the runtime wakes two threads, a wait by itself none: with one client, who sends the
 * next command when the last is answered, that is most of the time (decision 0040).
 */
const WAIT_HERE_MS = 2, TURN_MS = 10;
/** More turns than a command's way back takes; more are of use to nobody, as some commands wait for others. */
const MOST_TURNS = 16;

/** Serves until {@link stop}, then until the last command has been answered. */
export class HelperServer {
  readonly #epoll = new Epoll();
  readonly #receiver = new Receiver(WIRE.maxData);
  readonly #connections = new Map<number, Connection>();
  #running = 0;
  #unanswered = 0;
  #accepted = 0;
  #stopping = false;
  #acceptTimer: ReturnType<typeof setTimeout> | null = null;

  /** `maxClients`: connections beyond this are closed at once, before their greeting. The listener is the caller's to close. */
  constructor(
    readonly listener: Listener,
    readonly hooks: ServerHooks,
    readonly maxClients: number,
    readonly attendant: Attendant | null = null,
  ) {
    this.#epoll.add(listener.fd);
    if (attendant) this.#epoll.add(attendant.fd);
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
      let ready = await this.#epoll.wait();
      const until = performance.now() + TURN_MS;
      while (ready.length > 0) {
        for (const each of ready) this.#handle(each);
        if (performance.now() >= until) break;
        await this.#answers();
        ready = this.#epoll.poll(WAIT_HERE_MS);
      }
    }
    if (this.#acceptTimer !== null) clearTimeout(this.#acceptTimer);
    this.#epoll.close();
  }

  /** Lets commands that have come back be answered, which takes some turns of promises. */
  async #answers(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await null;
      if (this.#unanswered <= (this.attendant?.underWay ?? 0)) return;
    }
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
    if (ready.fd === this.attendant?.fd) return this.attendant.collect();
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
    this.#unanswered++;
    let answered = false;
    const reply = (answer: HelperAnswer): void => {
      if (answered) throw new RangeError("a command is answered once");
      answered = true;
      this.#unanswered--;
      this.#reply(connection, request.cdb, answer);
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
    if (this.#stopping) this.#epoll.ring();
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
