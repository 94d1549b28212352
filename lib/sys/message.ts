/**
 * Messages over Unix sockets that carry descriptors (SCM_RIGHTS): received without waiting, and sent.
 *
 * Facts this rests on: two messages with descriptors never merge in one recvmsg, but plain bytes before one do, so exactly
 * the bytes of one item are asked for; the kernel closes descriptors for which there is no room and sets MSG_CTRUNC.
 *
 *     one buffer: 0 msghdr, 56 | 56 iovec, 16 | 72 control | data
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { SysError } from "./errno.ts";
import { addressOf } from "./fd.ts";
import { errno } from "./libc.ts";
import { attempt, EAGAIN, ECONNRESET, socketCalls } from "./socket_symbols.ts";

const HEADER = 56, IOVEC = 16, CONTROL = HEADER + IOVEC;
/** Room for this many descriptors; a message with more is cut, which `surplus` tells. */
const MAX_DESCRIPTORS = 8;
const CONTROL_BYTES = 16 + MAX_DESCRIPTORS * 4;
const DATA = CONTROL + CONTROL_BYTES;
const SOL_SOCKET = 1, SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x08, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000;

/** One read. `bytes` is valid until the next one. */
export type Received =
  | {
    readonly kind: "data";
    readonly bytes: Bytes;
    /** Close-on-exec, and the receiver's to close. */
    readonly descriptors: readonly number[];
    /** More descriptors came than there was room for; the kernel has closed those. */
    readonly surplus: boolean;
  }
  | { readonly kind: "nothingYet" }
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly errno: number };

const NOTHING_YET: Received = { kind: "nothingYet" };
const NO_DESCRIPTORS: readonly number[] = [];

/** What a {@link Receiver} needs of the system. */
export interface ReceiveCalls {
  readonly recvmsg: (socket: number, message: Bytes, flags: number) => number;
  readonly errno: () => number;
}

const SYSTEM: ReceiveCalls = {
  recvmsg: (socket, message, flags) => socketCalls().recvmsg(socket, message, flags),
  errno,
};

/** Receives for any number of sockets, one after the other, through one buffer. */
export class Receiver {
  readonly #buffer: ArrayBuffer;
  readonly #bytes: Bytes;
  readonly #view: DataView;

  /** `maxBytes`: the most that will be asked for at once. `calls`: for tests, other system calls. */
  constructor(readonly maxBytes: number, private readonly calls: ReceiveCalls = SYSTEM) {
    this.#buffer = new ArrayBuffer(DATA + maxBytes);
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
    const base = addressOf(this.#buffer);
    this.#view.setBigUint64(16, base + BigInt(HEADER), true);
    this.#view.setBigUint64(24, 1n, true);
    this.#view.setBigUint64(HEADER, base + BigInt(DATA), true);
    const control = base + BigInt(CONTROL);
    this.#control = [Number(control & 0xffff_ffffn), Number(control >> 32n)];
  }

  /** Address of the room for descriptors, in halves: a bigint at each message would be garbage at each message. */
  readonly #control: readonly [low: number, high: number];

  /**
   * Reads up to `wanted` bytes from a nonblocking socket. Without `descriptors` the kernel closes any that come.
   * Throws `RangeError` for a size the buffer does not hold.
   */
  receive(socket: number, wanted: number, descriptors: boolean): Received {
    if (wanted < 1 || wanted > this.maxBytes) throw new RangeError(`${wanted} bytes do not fit the receiver`);
    const view = this.#view;
    let count = this.#call(socket, wanted, descriptors);
    if (count < 0) {
      let why = this.calls.errno();
      // A connection that is closed cannot be opened again, and errno is memory in which the runtime may have left a failure of
      // its own between the call and this look: what is neither "nothing there" nor "the peer is gone" is asked once more.
      if (why !== EAGAIN && why !== ECONNRESET) {
        count = this.#call(socket, wanted, descriptors);
        why = count < 0 ? this.calls.errno() : 0;
      }
      if (count < 0) return why === EAGAIN ? NOTHING_YET : { kind: "failed", errno: why };
    }
    const received = descriptors ? this.#descriptors() : NO_DESCRIPTORS;
    // Bytes are never 0 in number here but at the end; descriptors cannot come alone on a stream socket.
    if (count === 0) return { kind: "end" };
    const surplus = descriptors && (view.getInt32(48, true) & MSG_CTRUNC) !== 0;
    return { kind: "data", bytes: this.#bytes.subarray(DATA, DATA + count), descriptors: received, surplus };
  }

  #call(socket: number, wanted: number, descriptors: boolean): number {
    const view = this.#view;
    view.setUint32(HEADER + 8, wanted, true);
    view.setUint32(32, descriptors ? this.#control[0] : 0, true);
    view.setUint32(36, descriptors ? this.#control[1] : 0, true);
    view.setUint32(40, descriptors ? CONTROL_BYTES : 0, true);
    view.setUint32(44, 0, true);
    view.setInt32(48, 0, true);
    return this.calls.recvmsg(socket, this.#bytes, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  }

  #descriptors(): number[] {
    const view = this.#view;
    const found: number[] = [];
    // Lengths of 64 bits, of which the kernel fills no more than it was given room for.
    const end = CONTROL + Math.min(view.getUint32(40, true), CONTROL_BYTES);
    for (let at = CONTROL; at + 16 <= end;) {
      const length = view.getUint32(at, true);
      if (length < 16) break;
      if (view.getInt32(at + 8, true) === SOL_SOCKET && view.getInt32(at + 12, true) === SCM_RIGHTS) {
        for (let fd = at + 16; fd + 4 <= Math.min(at + length, end); fd += 4) found.push(view.getInt32(fd, true));
      }
      at += (length + 7) & ~7;
    }
    return found;
  }
}

/**
 * Sends what the socket takes at once. Returns the count of bytes, 0 when it takes none now.
 * Throws SysError (EPIPE when nobody reads any more; no signal is raised).
 */
export function sendNow(socket: number, bytes: Bytes): number {
  const count = socketCalls().send(socket, bytes, BigInt(bytes.length), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count >= 0) return count;
  const why = errno();
  if (why === EAGAIN) return 0;
  throw new SysError("send", `socket ${socket}`, why);
}

/** Sends bytes and descriptors as one message; for clients and tests. Throws SysError. */
export function sendWithDescriptors(socket: number, bytes: Bytes, descriptors: readonly number[]): number {
  if (descriptors.length === 0) return sendNow(socket, bytes);
  const controlBytes = 16 + ((descriptors.length * 4 + 7) & ~7);
  const buffer = new ArrayBuffer(CONTROL + controlBytes + bytes.length);
  const view = new DataView(buffer);
  const base = addressOf(buffer);
  view.setBigUint64(16, base + BigInt(HEADER), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, base + BigInt(CONTROL), true);
  view.setBigUint64(40, BigInt(controlBytes), true);
  view.setBigUint64(HEADER, base + BigInt(CONTROL + controlBytes), true);
  view.setBigUint64(HEADER + 8, BigInt(bytes.length), true);
  view.setBigUint64(CONTROL, BigInt(16 + descriptors.length * 4), true);
  view.setInt32(CONTROL + 8, SOL_SOCKET, true);
  view.setInt32(CONTROL + 12, SCM_RIGHTS, true);
  descriptors.forEach((fd, i) => view.setInt32(CONTROL + 16 + 4 * i, fd, true));
  new Uint8Array(buffer).set(bytes, CONTROL + controlBytes);
  const count = attempt((c) => c.sendmsg(socket, new Uint8Array(buffer), MSG_NOSIGNAL));
  if (count < 0) throw new SysError("sendmsg", `socket ${socket}`, count);
  return count;
}
