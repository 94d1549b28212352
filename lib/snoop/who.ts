/**
 * Who a client is: SO_PEERCRED says the process, /proc says which one it is. Reads /proc alone.
 *
 * A virtual machine is a process here. QEMU opens one connection a pr-manager object, so several connections may be one
 * client; and a pid comes back after its process is gone, so a client is a pid together with its start time.
 *
 * @module
 */
import type { Peer } from "../sys/unix_socket.ts";
import { codeOf } from "../sg/host.ts";

/** A client process. */
export interface Who {
  /** Equal for connections of one process; different for every other, earlier ones with the same pid included. */
  readonly id: string;
  /** 0 when the process lives in a pid namespace that cannot be seen from here. */
  readonly pid: number;
  readonly startTicks: number | null;
  readonly uid: number;
  /** The process's name for itself, up to 15 characters; `null` when it is not known. */
  readonly program: string | null;
}

/** Identifies the process at the other end. `connection`: what tells a client apart whose process cannot be seen. */
export function identify(peer: Peer, connection: number, proc = "/proc"): Who {
  const { pid, uid } = peer;
  const stat = pid > 0 ? processStat(pid, proc) : null;
  const id = stat ? `${pid}@${stat.startTicks}` : `connection ${connection}`;
  return { id, pid, startTicks: stat?.startTicks ?? null, uid, program: stat?.program ?? null };
}

/** Is that very process still there? `null`: it cannot be told. */
export function isAlive(
  { pid, startTicks }: { pid: number; startTicks: number | null },
  proc = "/proc",
): boolean | null {
  if (pid === 0 || startTicks === null) return null;
  return processStat(pid, proc)?.startTicks === startTicks;
}

function processStat(pid: number, proc: string): { program: string; startTicks: number } | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${proc}/${pid}/stat`);
  } catch (error) {
    codeOf(error);
    return null;
  }
  // "pid (name) state ppid ...": the name may hold spaces and parentheses, so the last one ends it.
  const end = text.lastIndexOf(")");
  const startTicks = Number(text.slice(end + 2).split(" ")[19]);
  const program = text.slice(text.indexOf("(") + 1, end).replaceAll(/[^\x20-\x7e]/g, "?");
  return Number.isSafeInteger(startTicks) ? { program, startTicks } : null;
}
