/**
 * One client's socket: reads no more than the conversation wants, keeps what the socket does not take yet.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { SysError } from "../sys/errno.ts";
import { closeFd } from "../sys/fd.ts";
import { type Receiver, sendNow } from "../sys/message.ts";
import { HelperConversation, type Step } from "./helper_protocol.ts";
import type { Client } from "./server_hooks.ts";

/** A connection. The socket is its owner's to close. */
export class Connection {
  readonly conversation = new HelperConversation();
  /** False once its owner has closed it. */
  open = true;
  /** Its requests are being read, further up the stack: an answer given on the spot must not read the next one there. */
  pumping = false;
  #unsent: Bytes | null = null;

  constructor(readonly fd: number, readonly client: Client) {}

  /** Something waits until the socket takes more. Nothing is read meanwhile. */
  get unsent(): boolean {
    return this.#unsent !== null;
  }

  /** No request has begun, none is executed, and all answers have left. */
  get idle(): boolean {
    return this.conversation.idle && !this.#unsent;
  }

  /** Reads once, and takes the step that follows; `null` when there is nothing to read now, or nothing wanted. */
  read(receiver: Receiver): Step | SysError | null {
    const wants = this.conversation.wants;
    if (!wants) return null;
    const received = receiver.receive(this.fd, wants.bytes, wants.descriptors);
    switch (received.kind) {
      case "nothingYet":
        return null;
      case "failed":
        return new SysError("recvmsg", "a client's socket", received.errno);
      case "end":
        return this.conversation.endOfFile();
      case "data":
        return this.conversation.receive(received.bytes, received.descriptors, received.surplus);
    }
  }

  /** Sends; true when all has left. `bytes` may be used again at once. Throws SysError. */
  send(bytes: Bytes): boolean {
    const sent = sendNow(this.fd, bytes);
    if (sent < bytes.length) this.#unsent = bytes.slice(sent);
    return sent === bytes.length;
  }

  /** Sends what waits; true when all has left. Throws SysError. */
  flush(): boolean {
    const bytes = this.#unsent;
    if (!bytes) return true;
    const rest = bytes.subarray(sendNow(this.fd, bytes));
    this.#unsent = rest.length > 0 ? rest : null;
    return this.#unsent === null;
  }

  /** Gives back a descriptor that came with half a request. */
  abandon(): void {
    if (!this.conversation.wants) return;
    const step = this.conversation.endOfFile();
    if (step.kind === "close") step.descriptors.forEach(closeFd);
  }
}
