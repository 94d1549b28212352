/**
 * Reads a file that others go on filling (trace_pipe) without holding up the program, and can stop at any moment.
 *
 * The wait is poll(2) on a pool thread, over the file and an eventfd; the read itself is nonblocking. So nothing is
 * read that is not delivered, and {@link Follower.stop} ends a wait at once. A blocking read could do neither: the
 * thread in it would keep the file open and swallow the next event.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { closeFd, O_NONBLOCK, O_RDONLY, openFd } from "./fd.ts";
import { SysError } from "./errno.ts";
import { errno } from "./libc.ts";

/** What a wait ended with: bytes, the end of the file, nothing within the time, or {@link Follower.stop}. */
export type Followed =
  | { readonly kind: "bytes"; readonly bytes: Bytes }
  | { readonly kind: "end" }
  | { readonly kind: "idle" }
  | { readonly kind: "stopped" };

const SYMBOLS = {
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
} as const;

let library: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const symbols = (): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] =>
  library ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;

const POLLIN = 1, POLLFD_BYTES = 8;
const EFD_NONBLOCK_CLOEXEC = 0o2004000;
const EINTR = 4, EAGAIN = 11;
const READ_BYTES = 65536;

/** One file being followed, by one caller at a time. */
export class Follower {
  readonly #path: string;
  readonly #fd: number;
  readonly #wake: number;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #stopped = false;
  #closed = false;

  private constructor(path: string, fd: number, wake: number) {
    this.#path = path;
    this.#fd = fd;
    this.#wake = wake;
  }

  /** Opens for reading. Throws {@link SysError}. */
  static async open(path: string): Promise<Follower> {
    const fd = await openFd(path, O_RDONLY | O_NONBLOCK);
    const wake = symbols().eventfd(0, EFD_NONBLOCK_CLOEXEC);
    if (wake >= 0) return new Follower(path, fd, wake);
    const reason = errno();
    closeFd(fd);
    throw new SysError("eventfd", `for ${path}`, reason);
  }

  /**
   * The next bytes, as soon as there are some; at most 64 KiB. Throws {@link SysError} when reading fails.
   *
   * One call at a time.
   */
  async next(timeoutMs: number): Promise<Followed> {
    if (this.#stopped) return { kind: "stopped" };
    const set = new Uint8Array(2 * POLLFD_BYTES);
    const view = new DataView(set.buffer);
    [this.#fd, this.#wake].forEach((fd, i) => {
      view.setInt32(i * POLLFD_BYTES, fd, true);
      view.setInt16(i * POLLFD_BYTES + 4, POLLIN, true);
    });
    // A failed poll (a signal) tells as much as an idle one: the read below decides.
    await symbols().poll(set, 2n, timeoutMs);
    if (this.#stopped) return { kind: "stopped" };
    return this.#read();
  }

  #read(): Followed {
    const size = Number(symbols().read(this.#fd, this.#buffer, BigInt(READ_BYTES)));
    if (size > 0) return { kind: "bytes", bytes: this.#buffer.slice(0, size) };
    if (size === 0) return { kind: "end" };
    const reason = errno();
    if (reason === EAGAIN || reason === EINTR) return { kind: "idle" };
    throw new SysError("read", this.#path, reason);
  }

  /** Ends a pending {@link next}, and every later one, with `stopped`. Safe to call at any time. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    symbols().write(this.#wake, new Uint8Array(new BigUint64Array([1n]).buffer), 8n);
  }

  /** Stops, and gives the descriptors back. A wait that is just ending may hold the file for a moment longer. */
  close(): void {
    this.stop();
    if (this.#closed) return;
    this.#closed = true;
    closeFd(this.#fd);
    closeFd(this.#wake);
  }
}
