/**
 * systemd's two protocols for services: sockets handed over at the start, and telling when one is ready.
 * Source: sd_listen_fds(3), sd_notify(3).
 *
 * @module
 */
import { SysError } from "./errno.ts";
import { sendDatagram } from "./unix_socket.ts";

/** First descriptor of a socket handed over. */
export const FIRST_LISTEN_FD = 3;

/** Number of sockets handed to this very process; 0 when they were meant for another, or there are none. */
export function listenFds(env: (name: string) => string | undefined, pid: number = Deno.pid): number {
  if (env("LISTEN_PID") !== String(pid)) return 0;
  const count = Number(env("LISTEN_FDS"));
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** Tells the service manager `READY=1`, `STOPPING=1`, `STATUS=...`; false when there is none, or it cannot be reached. */
export function notify(env: (name: string) => string | undefined, ...lines: string[]): boolean {
  const path = env("NOTIFY_SOCKET");
  if (path === undefined || !/^[/@]/.test(path)) return false;
  try {
    sendDatagram(path, new TextEncoder().encode(lines.join("\n")));
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}
