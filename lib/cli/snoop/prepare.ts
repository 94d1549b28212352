/**
 * What the helper does while it is still privileged: directories, socket, pid file. Then it gives the privileges up.
 *
 * Giving up means starting again (lib/sys/privileges.ts); what was prepared travels in one environment variable. Where
 * nothing has to be given up, as under a unit that grants CAP_SYS_RAWIO alone, it goes on as it is.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { join } from "../../files/paths.ts";
import { LUN_DIRECTORY } from "../../snoop/state.ts";
import { EVENT_DIRECTORY } from "../../snoop/event_log.ts";
import { WINDOW_DIRECTORY } from "../../snoop/window.ts";
import { SysError } from "../../sys/errno.ts";
import { setInheritable } from "../../sys/fd_facts.ts";
import {
  CAP_SYS_RAWIO,
  executeAgain,
  giveUp,
  hasTooMuch,
  mayBecome,
  privileges,
  type Wanted,
} from "../../sys/privileges.ts";
import { FIRST_LISTEN_FD, listenFds } from "../../sys/systemd.ts";
import { adoptListener, listenAt, type Listener, NoSocket, SocketInUse, stopListening } from "../../sys/unix_socket.ts";
import { groupId, userIds } from "../../sys/users.ts";
import type { CommandContext } from "../context.ts";
import { runDirectory } from "../run_directory.ts";

/** What the command line asks for. */
export interface SnoopInput {
  readonly socket: string | undefined;
  readonly mode: number;
  readonly socketGroup: string | undefined;
  readonly pidfile: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
}

/** What is ready. */
export interface Prepared {
  readonly listener: Listener;
  readonly runDirectory: string;
}

/** Where the helper listens when nobody says otherwise. */
export const DEFAULT_SOCKET = "/run/prmig/pr-helper.sock";
const STAGE = "PRMIG_SNOOP_PREPARED";

/** Prepares, gives up privileges, and comes back with what was prepared. Rejects with PrmigError. */
export async function prepare(input: SnoopInput, { env }: CommandContext): Promise<Prepared> {
  const handedOver = env(STAGE);
  if (handedOver !== undefined) return resume(handedOver);
  const wanted = wantedPrivileges(input);
  const now = privileges();
  if (!mayBecome(now, wanted)) throw cannot("become another user: only root may", "leave out --user and --group");
  const directory = runDirectory(env);
  makeDirectories(directory, wanted);
  const listener = await listen(input, env);
  try {
    writePidFile(input.pidfile);
    if (!hasTooMuch(now, wanted)) return { listener, runDirectory: directory };
    setInheritable(listener.fd, true);
    giveUp(wanted);
    executeAgain({ [STAGE]: JSON.stringify({ listener, runDirectory: directory }) });
  } catch (error) {
    await stopListening(listener);
    if (error instanceof SysError) {
      throw cannot(`give up privileges: ${error.message}`, "start it as root, or as a user without any", error);
    }
    throw error;
  }
}

/** The second start: privileges are gone, the listener is there. */
function resume(handedOver: string): Prepared {
  const { listener, runDirectory } = JSON.parse(handedOver) as Prepared;
  setInheritable(listener.fd, false);
  return { listener, runDirectory };
}

function wantedPrivileges({ user, group }: SnoopInput): Wanted {
  const ids = user === undefined ? null : userIds(user);
  if (user !== undefined && ids === null) throw usage(`there is no user "${user}"`);
  const gid = group === undefined ? null : groupId(group);
  if (group !== undefined && gid === null) throw usage(`there is no group "${group}"`);
  return { capabilities: [CAP_SYS_RAWIO], uid: ids?.uid ?? null, gid };
}

function makeDirectories(runDirectory: string, { uid, gid }: Wanted): void {
  try {
    // The socket lies in it, and whoever may connect must be able to get there; what is private lies below.
    if (!exists(runDirectory)) Deno.mkdirSync(runDirectory, { recursive: true, mode: 0o755 });
    for (const name of [LUN_DIRECTORY, EVENT_DIRECTORY, WINDOW_DIRECTORY]) {
      const path = join(runDirectory, name);
      if (exists(path)) continue;
      Deno.mkdirSync(path, { mode: 0o750 });
      if (uid !== null || gid !== null) Deno.chownSync(path, uid, gid);
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw cannot(`use ${runDirectory}: ${error.message}`, "make it writable, or name another: PRMIG_RUN_DIR", error);
  }
}

async function listen(input: SnoopInput, env: CommandContext["env"]): Promise<Listener> {
  const handed = listenFds(env);
  if (handed > 0 && input.socket !== undefined) {
    throw usage("--socket cannot be given when the service manager hands over a socket (LISTEN_FDS)");
  }
  if (handed > 1) {
    throw cannot(`serve ${handed} sockets (LISTEN_FDS); one is handed over at a time`, "name one ListenStream=");
  }
  const path = input.socket ?? DEFAULT_SOCKET;
  const group = input.socketGroup === undefined ? null : groupId(input.socketGroup);
  if (input.socketGroup !== undefined && group === null) throw usage(`there is no group "${input.socketGroup}"`);
  try {
    return handed === 1 ? adoptListener(FIRST_LISTEN_FD) : await listenAt(path, input.mode, group);
  } catch (error) {
    if (error instanceof RangeError) {
      throw handed === 1
        ? cannot(`use the socket handed over: ${error.message}`, "use ListenStream=PATH")
        : usage(error.message);
    }
    if (error instanceof SocketInUse) {
      throw cannot(`listen: ${error.message}`, "stop the other helper, or name another socket", error);
    }
    if (error instanceof SysError && error.call === "connect") {
      throw cannot(
        `tell whether somebody serves ${path}: ${error.message}`,
        "remove the socket if nobody does, or name another",
        error,
      );
    }
    const known = error instanceof SysError || error instanceof NoSocket || (error instanceof Error && "code" in error);
    if (!known) throw error;
    throw cannot(
      `listen at ${path}: ${error.message}`,
      "name a path in a directory that exists and is writable",
      error,
    );
  }
}

function writePidFile(path: string | undefined): void {
  if (path === undefined) return;
  try {
    Deno.writeTextFileSync(path, `${Deno.pid}\n`, { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw cannot(`write the pid file ${path}: ${error.message}`, "name a path in a directory that is writable", error);
  }
}

/** Removes the pid file if it still names us; after privileges were given up it may have to stay. */
export function removePidFile(path: string | undefined): void {
  if (path === undefined) return;
  try {
    if (Deno.readTextFileSync(path).trim() === String(Deno.pid)) Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function usage(message: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy: "prmig snoop --help" });
}

function cannot(what: string, remedy: string, cause?: unknown): PrmigError {
  return new PrmigError("failed", { message: `Cannot ${what}`, lun: "not touched", remedy }, { cause });
}
