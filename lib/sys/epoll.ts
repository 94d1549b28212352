/**
 * Waiting for many descriptors at once, off the main thread, edge-triggered, with a bell to end the wait.
 *
 * A pool thread of Deno sits in epoll_wait; its result is the count of events, its errno is lost. So a failed wait
 * is taken for a wait without events (a signal may have hit that thread), and one that keeps failing is an error.
 *
 * @module
 */
import { closeFd } from "./fd.ts";
import { demand, socketCalls } from "./socket_symbols.ts";

/** What a descriptor is ready for. `hangUp`: the other end is gone, or an error waits to be fetched. */
export interface Ready {
  readonly fd: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly hangUp: boolean;
}

const EPOLLIN = 0x001, EPOLLOUT = 0x004, EPOLLERR = 0x008, EPOLLHUP = 0x010, EPOLLRDHUP = 0x2000;
const EPOLLET = 0x80000000;
const ADD = 1, REMOVE = 2, CHANGE = 3;
const CLOEXEC = 0o2000000, NONBLOCK = 0o4000;
const BATCH = 64;
/** The kernel's epoll_event is packed on x86-64 alone. */
const STRIDE = Deno.build.arch === "x86_64" ? 12 : 16;
const FAILURES_IN_A_ROW = 1000;

/** A set of descriptors. Each is reported once per change, not as long as it stays ready: read until EAGAIN. */
export class Epoll {
  readonly #epoll = demand("epoll_create1", "", (c) => c.epoll_create1(CLOEXEC));
  readonly #bell = demand("eventfd", "", (c) => c.eventfd(0, CLOEXEC | NONBLOCK));
  readonly #events = new Uint8Array(BATCH * STRIDE);
  readonly #view = new DataView(this.#events.buffer);
  #failures = 0;
  #waiting = false;
  #closed = false;

  constructor() {
    this.add(this.#bell);
  }

  /** Watches a descriptor for reading and for the other end's leaving. */
  add(fd: number): void {
    this.#control(ADD, fd, EPOLLIN | EPOLLRDHUP);
  }

  /** Watches for writing as well, or no longer: a socket that is watched for it wakes the waiter at every reply read. */
  watchWriting(fd: number, on: boolean): void {
    this.#control(CHANGE, fd, EPOLLIN | EPOLLRDHUP | (on ? EPOLLOUT : 0));
  }

  /** Stops watching a descriptor; do it before closing, as a copy elsewhere would keep it in the set. */
  remove(fd: number): void {
    this.#control(REMOVE, fd, 0);
  }

  /** What is ready; waits until something is, or the bell rings (then perhaps nothing). One wait at a time. */
  async wait(): Promise<Ready[]> {
    this.#waiting = true;
    try {
      const count = await socketCalls().epollWait(this.#epoll, this.#events, BATCH, -1);
      return this.#take(count);
    } finally {
      this.#waiting = false;
    }
  }

  /**
   * What is ready, by a wait on this very thread of at most `ms`: nothing else of the program goes on meanwhile. For moments
   * in which something is about to happen; {@link wait} wakes two threads, which costs some 20 µs.
   */
  poll(ms = 0): Ready[] {
    return this.#take(socketCalls().epollNow(this.#epoll, this.#events, BATCH, ms));
  }

  /** Ends a wait under way, or the next one. */
  ring(): void {
    const one = new Uint8Array(new BigUint64Array([1n]).buffer);
    demand("write", "eventfd", (c) => c.write(this.#bell, one, 8n));
  }

  /** Gives both descriptors back. Not while a wait is under way. */
  close(): void {
    if (this.#closed) return;
    if (this.#waiting) throw new RangeError("an epoll set cannot be closed while somebody waits in it");
    this.#closed = true;
    closeFd(this.#bell);
    closeFd(this.#epoll);
  }

  #control(operation: number, fd: number, events: number): void {
    const event = new Uint8Array(STRIDE);
    const view = new DataView(event.buffer);
    view.setUint32(0, (events | EPOLLET) >>> 0, true);
    view.setInt32(STRIDE - 8, fd, true);
    demand("epoll_ctl", `descriptor ${fd}`, (c) => c.epoll_ctl(this.#epoll, operation, fd, event));
  }

  #take(count: number): Ready[] {
    if (count < 0) {
      if (++this.#failures >= FAILURES_IN_A_ROW) throw new Error("epoll_wait fails again and again");
      return [];
    }
    this.#failures = 0;
    const ready: Ready[] = [];
    for (let i = 0; i < count; i++) {
      const events = this.#view.getUint32(i * STRIDE, true);
      const fd = this.#view.getInt32(i * STRIDE + STRIDE - 8, true);
      if (fd === this.#bell) this.#silence();
      else {
        ready.push({
          fd,
          readable: (events & EPOLLIN) !== 0,
          writable: (events & EPOLLOUT) !== 0,
          hangUp: (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) !== 0,
        });
      }
    }
    return ready;
  }

  #silence(): void {
    socketCalls().read(this.#bell, new Uint8Array(8), 8n);
  }
}
