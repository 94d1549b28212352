/**
 * A guest in the lab: QEMU inside QEMU, with the lab's LUNs passed through and its reservation commands executed by a
 * pr-helper. Two of them, on nexus A and nexus B, play a live migration between two hosts.
 *
 *   const helper = await startPrHelper("src");
 *   const guest = await startGuest({ name: "src", disks: [{ device: A.sd, helper: helper.socket }], boot: "saved" });
 *   await guest.findDisks();
 *   await guest.console.run("guest pr-out /dev/sg0 0 0 0 0xbeef");
 *   await guest.console.send("guest tick /dev/sda 0 &");
 *   await guest.console.moreTicks(5);
 *
 * Works only inside the lab. Whoever starts something stops it, best with `await using`.
 *
 * @module
 */
import { guestArguments, type GuestDisk, type GuestSpec } from "./command_line.ts";
import { Console } from "./console.ts";
import type { GuestKit } from "./kit.ts";
import { Qmp } from "./qmp.ts";

export type { GuestDisk } from "./command_line.ts";
export type { ConsoleLine, Tick } from "./console.ts";
export { Qmp, QmpError, type QmpEvent } from "./qmp.ts";

const LISTEN_MS = 60_000;
const READY_MS = 240_000;

export interface PrHelper extends AsyncDisposable {
  /** For `GuestDisk.helper`. */
  readonly socket: string;
  readonly pid: number;
  /** SIGKILL. */
  stop(): Promise<void>;
}

/** Debian's qemu-pr-helper for one "host". */
export async function startPrHelper(name: string): Promise<PrHelper> {
  const socket = `${await directoryOf(name)}/helper`;
  const child = new Deno.Command("qemu-pr-helper", {
    args: ["-k", socket, "-f", `${socket}.pid`],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  await untilPresent(socket, child);
  const stop = (): Promise<void> => end(child, "SIGKILL");
  return { socket, pid: child.pid, stop, [Symbol.asyncDispose]: stop };
}

export interface GuestOptions {
  /** Also the directory of its sockets, /run/lab-guest/<name>. */
  readonly name: string;
  /** Disk N is target N in the guest: /dev/sda and /dev/sg0 the first. */
  readonly disks: readonly GuestDisk[];
  /**
   * "saved" is up in seconds, "cold" boots, which takes a minute; anything else is a migration URI to wait for, as a
   * destination.
   */
  readonly boot: "saved" | "cold" | `unix:${string}` | `tcp:${string}` | `exec:${string}` | "defer";
  /** -S: stand still after an incoming migration, as libvirt does. */
  readonly paused?: boolean;
  /** Any more arguments for QEMU. */
  readonly extra?: readonly string[];
}

export interface Guest extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly console: Console;
  /** The test's own QMP connection. */
  readonly qmp: Qmp;
  /** Another QMP socket of this QEMU, for prmig. */
  readonly qmpSocket: string;
  /** Has the guest look for its disks, all of them; once, and not in a destination. */
  findDisks(): Promise<void>;
  /** How QEMU ended, when it has. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** What QEMU printed on standard error so far. */
  complaints(): string;
  /** SIGKILL, as a host that loses its power. */
  kill(): Promise<void>;
  /** Ends QEMU if it has not ended, and all connections. */
  stop(): Promise<void>;
}

/** Starts QEMU and connects; a guest that boots ("saved" or "cold") is ready for `console.run` when this returns. */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const kit = guestKit();
  const directory = await directoryOf(options.name);
  const qmpSocket = `${directory}/qmp`;
  const boots = options.boot === "saved" || options.boot === "cold";
  const spec: GuestSpec = {
    name: options.name,
    vmlinux: kit.vmlinux,
    initrd: kit.initrd,
    serial: `${directory}/serial`,
    qmp: [qmpSocket, `${directory}/qmp-test`],
    disks: options.disks,
    ...(options.boot === "saved" ? { incoming: `exec:cat '${kit.saved}'` } : boots ? {} : { incoming: options.boot }),
    paused: options.paused ?? false,
    extra: options.extra ?? [],
  };
  // Two guests that compute without pause leave little of two emulated cores to what is tested: they come second.
  const child = new Deno.Command("nice", {
    args: ["-n", "10", "qemu-system-x86_64", ...guestArguments(spec)],
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  let complaints = "";
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) complaints += text;
  })();
  for (const path of [spec.serial, ...spec.qmp]) await untilPresent(path, child, () => complaints);
  const console = await Console.connect(spec.serial);
  const qmp = await Qmp.connect(spec.qmp[1]!);
  const stop = async (): Promise<void> => {
    await end(child, "SIGKILL");
    await listening;
    console[Symbol.dispose]();
    qmp[Symbol.dispose]();
  };
  try {
    if (options.boot === "cold") await console.line((text) => text.includes("guest: ready"), READY_MS);
    if (options.boot === "saved") await qmp.event(({ event }) => event === "RESUME", READY_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: options.name,
    pid: child.pid,
    console,
    qmp,
    qmpSocket,
    ended: child.status,
    complaints: () => complaints,
    kill: () => end(child, "SIGKILL"),
    stop,
    [Symbol.asyncDispose]: stop,
    findDisks: async () => {
      const { code, output } = await console.run(`disks ${options.disks.length}; ls -1 /dev/sg*`);
      const found = output.split("\n").filter((line) => line.startsWith("/dev/sg")).length;
      if (code !== 0 || found !== options.disks.length) throw new Error(`the guest found ${found} disks: ${output}`);
    },
  };
}

/** Where the guest's kernel and saved state are. @throws Error outside the lab */
function guestKit(): GuestKit {
  const text = Deno.env.get("PRMIG_LAB_GUEST");
  if (text === undefined) throw new Error("guests run in the lab only: deno task test:lab");
  return JSON.parse(text);
}

async function directoryOf(name: string): Promise<string> {
  const path = `/run/lab-guest/${name}`;
  await Deno.mkdir(path, { recursive: true });
  return path;
}

/** Waits for a socket that `child` makes. The one of an earlier run under the same name is removed first. */
async function untilPresent(path: string, child: Deno.ChildProcess, complaints = (): string => ""): Promise<void> {
  let ended = false;
  void child.status.then(() => ended = true);
  const deadline = Date.now() + LISTEN_MS;
  for (;;) {
    try {
      (await Deno.connect({ transport: "unix", path })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    if (ended) throw new Error(`it ended before it listened on ${path}: ${complaints()}`);
    if (Date.now() > deadline) throw new Error(`nothing listens on ${path} after ${LISTEN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function end(child: Deno.ChildProcess, signal: Deno.Signal): Promise<void> {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
  await child.status;
}
