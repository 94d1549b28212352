/**
 * A client of the pr-helper protocol for tests: as polite as QEMU, or as rude as the test wants.
 *
 * It shares with lib/ the system calls, and no protocol code.
 *
 * @module
 */
import type { Bytes } from "../../lib/bytes.ts";
import { SysError } from "../../lib/sys/errno.ts";
import { closeFd } from "../../lib/sys/fd.ts";
import { Receiver, sendNow, sendWithDescriptors } from "../../lib/sys/message.ts";
import { connectTo } from "../../lib/sys/unix_socket.ts";

/** A reply, taken apart. */
export interface RawReply {
  readonly status: number;
  readonly size: number;
  readonly sense: Bytes;
  readonly data: Bytes;
}

const ECONNRESET = 104;
const receiver = new Receiver(65536);

/** One connection. Every method that waits gives up after `patienceMs`. */
export class HelperClient implements Disposable {
  #open = true;

  constructor(readonly fd: number, readonly patienceMs = 5000) {}

  /** Connects without a word; retries while the server's queue is full. */
  static async connect(path: string, patienceMs = 5000): Promise<HelperClient> {
    for (const until = Date.now() + patienceMs;;) {
      try {
        return new HelperClient(connectTo(path), patienceMs);
      } catch (error) {
        if (!(error instanceof SysError) || error.code !== "EAGAIN" || Date.now() > until) throw error;
        await pause();
      }
    }
  }

  /** Connects and exchanges greetings. */
  static async greeted(path: string, patienceMs = 5000): Promise<HelperClient> {
    const client = await HelperClient.connect(path, patienceMs);
    await client.greet();
    return client;
  }

  async greet(): Promise<void> {
    const greeting = await this.read(4);
    if (greeting === null || greeting.some((byte) => byte !== 0)) throw new Error(`a greeting of ${greeting}`);
    this.write(new Uint8Array(4));
  }

  write(bytes: Uint8Array, descriptors: readonly number[] = []): void {
    const copy = new Uint8Array(bytes);
    const sent = descriptors.length > 0 ? sendWithDescriptors(this.fd, copy, descriptors) : sendNow(this.fd, copy);
    if (sent !== bytes.length) throw new Error(`the socket took ${sent} of ${bytes.length} bytes`);
  }

  /** As QEMU sends it: CDB with the descriptor, then the parameter list by itself. */
  send(cdb: Uint8Array, descriptor: number, parameters: Uint8Array = new Uint8Array()): void {
    const padded = new Uint8Array(16);
    padded.set(cdb);
    this.write(padded, [descriptor]);
    if (parameters.length > 0) this.write(parameters);
  }

  /** One command and its reply; throws when the server closes instead. */
  async command(cdb: Uint8Array, descriptor: number, parameters?: Uint8Array): Promise<RawReply> {
    this.send(cdb, descriptor, parameters);
    const reply = await this.reply();
    if (reply === null) throw new Error("the server closed the connection instead of replying");
    return reply;
  }

  /** The next reply; `null` when the server closes. */
  async reply(): Promise<RawReply | null> {
    const head = await this.read(104);
    if (head === null) return null;
    const view = new DataView(head.buffer, head.byteOffset);
    const size = view.getUint32(4);
    const data = size > 0 ? await this.read(size) : new Uint8Array();
    if (data === null) throw new Error("the server closed in the middle of a reply");
    return { status: view.getUint32(0), size, sense: head.slice(8, 104), data };
  }

  /** Exactly so many bytes; `null` for an end before the first. Throws for an end in the middle, or no patience left. */
  async read(count: number): Promise<Bytes | null> {
    const bytes = new Uint8Array(count);
    let have = 0;
    for (const until = Date.now() + this.patienceMs; have < count;) {
      const got = receiver.receive(this.fd, count - have, false);
      if (got.kind === "data") {
        bytes.set(got.bytes, have);
        have += got.bytes.length;
      } else if (got.kind === "nothingYet") {
        if (Date.now() > until) throw new Error(`no answer after ${this.patienceMs} ms, ${have} of ${count} bytes`);
        await pause();
      } else if (got.kind === "failed" && got.errno !== ECONNRESET) {
        throw new SysError("recvmsg", "a helper", got.errno);
      } else if (have === 0) return null;
      else throw new Error(`the server closed after ${have} of ${count} bytes`);
    }
    return bytes;
  }

  /** True when the server closes, having sent nothing more. */
  async closed(): Promise<boolean> {
    return await this.read(1) === null;
  }

  close(): void {
    if (this.#open) closeFd(this.fd);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
