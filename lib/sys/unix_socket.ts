/**
 * Unix sockets: listening ones that come into being complete, connecting ones, and who is at the other end.
 *
 * A listening socket is bound under a temporary name, given its mode, set listening, and only then renamed to its path:
 * whoever sees the path can connect. What lies at the path is replaced only if nobody answers there.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { SysError } from "./errno.ts";
import { closeFd, O_RDONLY, openFd } from "./fd.ts";
import { pathFacts, setInheritable } from "./fd_facts.ts";
import { attempt, demand, EAGAIN, ECONNREFUSED, ENOENT } from "./socket_symbols.ts";

const AF_UNIX = 1, SOCK_STREAM = 1, SOCK_DGRAM = 2, NONBLOCK = 0o4000, CLOEXEC = 0o2000000;
const SOL_SOCKET = 1, SO_TYPE = 3, SO_PEERCRED = 17, SO_ACCEPTCONN = 30, SO_DOMAIN = 39;
const MSG_NOSIGNAL = 0x4000;
const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;
const LOCK_EX = 2;
/** Longest path a socket address holds. */
export const MAX_SOCKET_PATH = 107;

/** A socket that listens. */
export interface Listener {
  readonly fd: number;
  /** Path it can be reached at; `null` when somebody else made it (socket activation). */
  readonly path: string | null;
  /** Device and inode of the socket file, to recognise it before unlinking. */
  readonly file: string | null;
}

/** The process at the other end, as it was when it connected. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Somebody answers at the path already. */
export class SocketInUse extends Error {
  override readonly name = "SocketInUse";
  constructor(readonly path: string) {
    super(`somebody serves ${path} already`);
  }
}

/** Something that is no socket lies at the path: not ours to replace. */
export class NoSocket extends Error {
  override readonly name = "NoSocket";
  constructor(readonly path: string) {
    super(`${path} exists and is no socket`);
  }
}

/**
 * Listens at an absolute path. `mode`: permissions of the socket file. `group`: its group, by number; `null` leaves it.
 * Throws {@link SocketInUse}, {@link NoSocket}, SysError (of `connect`: what lies there cannot be asked whether it is served), or `RangeError` for a path that is too long or not absolute.
 */
export async function listenAt(path: string, mode: number, group: number | null = null): Promise<Listener> {
  if (!path.startsWith("/")) throw new RangeError(`${path} is not an absolute path`);
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  const temporary = `${directory === "/" ? "" : directory}/.prmig-${Deno.pid}`;
  socketAddress(path); // so that what is bound can be connected to under its final name
  const address = socketAddress(temporary);
  return await locked(directory, () => {
    if (answers(path)) throw new SocketInUse(path);
    const fd = demand("socket", path, (c) => c.socket(AF_UNIX, SOCK_STREAM | NONBLOCK | CLOEXEC, 0));
    try {
      removeFile(temporary);
      const before = demand("umask", "", (c) => c.umask(0o777 & ~mode));
      try {
        demand("bind", path, (c) => c.bind(fd, address, address.length));
      } finally {
        demand("umask", "", (c) => c.umask(before));
      }
      if (group !== null) Deno.chownSync(temporary, null, group);
      demand("listen", path, (c) => c.listen(fd, 4096)); // the kernel caps it at net.core.somaxconn
      const { file } = pathFacts(temporary);
      Deno.renameSync(temporary, path);
      return { fd, path, file };
    } catch (error) {
      closeFd(fd);
      removeFile(temporary);
      throw error;
    }
  });
}

/** Closes a listener and unlinks its path, if what lies there is still its own file. True when nothing is left behind. */
export async function stopListening({ fd, path, file }: Listener): Promise<boolean> {
  closeFd(fd);
  if (path === null || file === null) return true;
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  return await locked(directory, () => {
    if (fileAt(path) !== file) return true;
    try {
      Deno.removeSync(path);
      return true;
    } catch (error) {
      // After giving up privileges the directory may be out of reach; the next start replaces a dead socket.
      if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

/**
 * Takes over a listening socket that another process made. Throws `RangeError` if the descriptor is none: not open, no
 * socket, not Unix, not a stream, not listening.
 */
export function adoptListener(fd: number): Listener {
  const option = (name: number): number => {
    const value = new Uint8Array(4);
    const result = attempt((c) => c.getsockopt(fd, SOL_SOCKET, name, value, Uint8Array.of(4, 0, 0, 0)));
    if (result < 0) throw new RangeError(`descriptor ${fd} is no socket`);
    return new DataView(value.buffer).getInt32(0, true);
  };
  if (option(SO_DOMAIN) !== AF_UNIX || option(SO_TYPE) !== SOCK_STREAM || option(SO_ACCEPTCONN) !== 1) {
    throw new RangeError(`descriptor ${fd} is not a listening Unix stream socket`);
  }
  setInheritable(fd, false);
  const flags = demand("fcntl", `descriptor ${fd}`, (c) => c.fcntl(fd, 3, 0));
  demand("fcntl", `descriptor ${fd}`, (c) => c.fcntl(fd, 4, flags | NONBLOCK));
  return { fd, path: null, file: null };
}

/** The next connection, nonblocking; `null` when none waits. Throws SysError (EMFILE, ENFILE: no descriptor left). */
export function accept(listener: number): number | null {
  const fd = attempt((c) => c.accept4(listener, null, null, NONBLOCK | CLOEXEC));
  if (fd >= 0) return fd;
  if (fd === -EAGAIN || fd === -103) return null; // ECONNABORTED: it left before it was let in
  throw new SysError("accept", `socket ${listener}`, fd);
}

/** Connects to a listening socket; the connection is nonblocking. Throws SysError (ENOENT, ECONNREFUSED ...). */
export function connectTo(path: string): number {
  const address = socketAddress(path);
  const fd = demand("socket", path, (c) => c.socket(AF_UNIX, SOCK_STREAM | NONBLOCK | CLOEXEC, 0));
  const result = attempt((c) => c.connect(fd, address, address.length));
  if (result === 0) return fd;
  closeFd(fd);
  throw new SysError("connect", path, result);
}

/** Who connected. The pid is as seen from here: 0 when the peer lives in a pid namespace we cannot see. */
export function peerOf(connection: number): Peer {
  const value = new Uint8Array(12);
  demand(
    "getsockopt",
    "SO_PEERCRED",
    (c) => c.getsockopt(connection, SOL_SOCKET, SO_PEERCRED, value, Uint8Array.of(12, 0, 0, 0)),
  );
  const view = new DataView(value.buffer);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) };
}

/** A connected pair of stream sockets; for tests. */
export function socketPair(): [number, number] {
  const pair = new Uint8Array(8);
  demand("socketpair", "", (c) => c.socketpair(AF_UNIX, SOCK_STREAM | NONBLOCK | CLOEXEC, 0, pair));
  const view = new DataView(pair.buffer);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

/** One datagram to a Unix socket; `@name` is an abstract one. Throws SysError. */
export function sendDatagram(path: string, bytes: Bytes): void {
  const address = socketAddress(path);
  const fd = demand("socket", path, (c) => c.socket(AF_UNIX, SOCK_DGRAM | CLOEXEC, 0));
  try {
    demand("sendto", path, (c) => c.sendto(fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL, address, address.length));
  } finally {
    closeFd(fd);
  }
}

function socketAddress(path: string): Bytes {
  const name = new TextEncoder().encode(path);
  if (name.length === 0 || name.length > MAX_SOCKET_PATH || name.includes(0)) {
    throw new RangeError(`a socket path has 1 to ${MAX_SOCKET_PATH} bytes: ${path}`);
  }
  if (name[0] === 0x40) name[0] = 0;
  const abstract = name[0] === 0;
  const address = new Uint8Array(2 + name.length + (abstract ? 0 : 1));
  address[0] = AF_UNIX;
  address.set(name, 2);
  return address;
}

/**
 * True when a connection to the path would be accepted, or has to wait in a full queue; false when nobody listens there.
 * Throws SysError where that cannot be told (EACCES: not ours to try; EPROTOTYPE: it serves datagrams).
 */
function answers(path: string): boolean {
  if (fileAt(path) === null) return false;
  if (pathFacts(path).kind !== "socket") throw new NoSocket(path);
  try {
    closeFd(connectTo(path));
    return true;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.errno === EAGAIN) return true;
    if (error.errno === ECONNREFUSED || error.errno === ENOENT) return false;
    throw error;
  }
}

function fileAt(path: string): string | null {
  try {
    return pathFacts(path).file;
  } catch (error) {
    if (error instanceof SysError) return null;
    throw error;
  }
}

function removeFile(path: string): void {
  if (fileAt(path) !== null) Deno.removeSync(path);
}

/** Runs `work` while no other prmig does the same in this directory: comparing and replacing is then one step. */
async function locked<T>(directory: string, work: () => T): Promise<T> {
  const fd = await openFd(directory, O_RDONLY | O_DIRECTORY);
  try {
    demand("flock", directory, (c) => c.flock(fd, LOCK_EX));
    return work();
  } finally {
    closeFd(fd); // and with it the lock
  }
}
