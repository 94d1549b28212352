/**
 * libc, for Unix sockets, descriptors and event waiting. Loaded at the first use, apart from libc.ts, so that a command
 * that opens no socket loads no socket calls.
 *
 * Every call here returns at once, but for `epollWait`, which runs on a pool thread (its errno cannot be had: see epoll.ts).
 * Counts of bytes that fit 31 bits are declared i32: a 64-bit result would be a bigint, made anew at each call.
 *
 * @module
 */
import { errno, libc } from "./libc.ts";
import { SysError } from "./errno.ts";

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epollNow: { name: "epoll_wait", parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  epollWait: { name: "epoll_wait", parameters: ["i32", "buffer", "i32", "i32"], result: "i32", nonblocking: true },
} as const;

/** The calls. */
export type SocketCalls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let loaded: SocketCalls | undefined;

/** The calls, loaded once in each thread. */
export function socketCalls(): SocketCalls {
  if (loaded) return loaded;
  libc(); // so that reading errno later loads nothing in between
  return loaded = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
}

/** The result of a call, or {@link SysError} with its own errno when it is negative. */
export function demand(call: string, target: string, run: (c: SocketCalls) => number | bigint): number {
  const result = attempt(run);
  if (result < 0) throw new SysError(call, target, result);
  return result;
}

/** The result of a call, or `-errno`: for calls whose failure is an everyday answer. */
export function attempt(run: (c: SocketCalls) => number | bigint): number {
  const calls = socketCalls();
  const result = Number(run(calls));
  return result < 0 ? -errno() : result;
}

/** Error numbers that decide something in this room. */
export const EAGAIN = 11, EINTR = 4, EMFILE = 24, ENFILE = 23, ECONNRESET = 104, ECONNREFUSED = 111, ENOENT = 2;
