/**
 * Giving up privileges for good: capabilities, bounding set, groups, user; then the program starts again without them.
 *
 * Capabilities belong to threads, and a running Deno has several that cannot be reached: those of its pools. So the one
 * thread that can gives them up and executes the same program again, with the same process id: whatever threads the new
 * image starts, none ever had more than is left. What must survive (a listening socket) is made inheritable before.
 *
 * @module
 */
import { SysError } from "./errno.ts";
import { addressOf } from "./fd.ts";
import { cString, errno, libc } from "./libc.ts";

/** CAP_SYS_RAWIO: SG_IO commands beyond the harmless ones on a block node. */
export const CAP_SYS_RAWIO = 17;
const CAP_SETGID = 6, CAP_SETUID = 7, CAP_SETPCAP = 8;

const SYMBOLS = {
  capset: { parameters: ["buffer", "buffer"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
} as const;
type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let loaded: Calls | undefined;

function demand(call: string, target: string, run: (calls: Calls) => number): void {
  libc(); // so that reading errno loads nothing in between
  loaded ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  if (run(loaded) < 0) throw new SysError(call, target, errno());
}

const PR_CAPBSET_DROP = 24, PR_SET_KEEPCAPS = 8, PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_RAISE = 2, PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITY_VERSION_3 = 0x20080522;
const SIG_BLOCK = 0, SIGUSR1 = 10;
const LOW = 0xffff_ffff;

/** What a thread may do. Sets of capabilities are bit masks. */
export interface Privileges {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly noNewPrivileges: boolean;
}

/** Privileges of the calling thread, or of another thread or process. Throws the system's errors, `RangeError` for nonsense. */
export function privileges(of = "thread-self"): Privileges {
  const status = Deno.readTextFileSync(`/proc/${of}/status`);
  const field = (name: string): string => {
    const found = new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1];
    if (found === undefined) throw new RangeError(`/proc/${of}/status has no ${name}`);
    return found;
  };
  const numbers = (name: string): number[] => field(name).split(/\s+/).filter(Boolean).map(Number);
  const mask = (name: string): bigint => BigInt(`0x${field(name)}`);
  return {
    uid: numbers("Uid")[1]!,
    gid: numbers("Gid")[1]!,
    groups: numbers("Groups"),
    permitted: mask("CapPrm"),
    effective: mask("CapEff"),
    bounding: mask("CapBnd"),
    noNewPrivileges: field("NoNewPrivs") === "1",
  };
}

/** What shall be left. */
export interface Wanted {
  /** Capabilities to keep, as far as they are there. */
  readonly capabilities: readonly number[];
  /** User and group to become; `null`: stay. */
  readonly uid: number | null;
  readonly gid: number | null;
}

/** True when `now` has more than is wanted, and can give it up. */
export function hasTooMuch(now: Privileges, wanted: Wanted): boolean {
  const keep = maskOf(wanted.capabilities);
  const more = (now.permitted & ~keep) !== 0n;
  const bounded = now.bounding !== 0n && has(now, CAP_SETPCAP);
  const other = (wanted.uid ?? now.uid) !== now.uid || (wanted.gid ?? now.gid) !== now.gid;
  return more || bounded || other || !now.noNewPrivileges;
}

/**
 * Gives up everything but what is wanted, on this thread: {@link executeAgain} must follow. Also blocks SIGUSR1, by which
 * anybody allowed to signal the process could open the runtime's inspector. Throws SysError.
 */
export function giveUp({ capabilities, uid, gid }: Wanted): void {
  const now = privileges();
  const keep = maskOf(capabilities) & now.permitted;
  // What is to be inherited must be marked before the bounding set is emptied; later the kernel refuses it.
  setCapabilities({ effective: now.effective, permitted: now.permitted, inheritable: keep });
  if (has(now, CAP_SETPCAP)) {
    for (let cap = 0; cap < 64; cap++) {
      if ((now.bounding & (1n << BigInt(cap))) !== 0n) {
        demand("prctl", `bounding set, capability ${cap}`, (c) => c.prctl(PR_CAPBSET_DROP, BigInt(cap), 0n, 0n, 0n));
      }
    }
  }
  demand("prctl", "keep capabilities", (c) => c.prctl(PR_SET_KEEPCAPS, 1n, 0n, 0n, 0n));
  if (has(now, CAP_SETGID)) demand("setgroups", "none", (c) => c.setgroups(0n, new Uint8Array(4)));
  if (gid !== null && gid !== now.gid) demand("setresgid", `${gid}`, (c) => c.setresgid(gid, gid, gid));
  if (uid !== null && uid !== now.uid) demand("setresuid", `${uid}`, (c) => c.setresuid(uid, uid, uid));
  setCapabilities({ effective: keep, permitted: keep, inheritable: keep });
  demand("prctl", "ambient set", (c) => c.prctl(PR_CAP_AMBIENT, BigInt(PR_CAP_AMBIENT_CLEAR_ALL), 0n, 0n, 0n));
  if ((uid ?? now.uid) !== 0) raiseAmbient(keep);
  demand("prctl", "no new privileges", (c) => c.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n));
  const signals = new Uint8Array(128);
  signals[(SIGUSR1 - 1) >> 3] = 1 << ((SIGUSR1 - 1) & 7);
  demand("pthread_sigmask", "SIGUSR1", (c) => c.pthread_sigmask(SIG_BLOCK, signals, null));
}

/**
 * Turns this process into a fresh start of the same program with the same arguments. `environment` is added to the
 * present one. Never returns; throws SysError when the program cannot be started.
 */
export function executeAgain(environment: Readonly<Record<string, string>>): never {
  const words = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
  const variables = Object.entries({ ...Deno.env.toObject(), ...environment }).map(([name, value]) =>
    `${name}=${value}`
  );
  const argv = pointers(words);
  const envp = pointers(variables);
  const program = ownProgram();
  demand("execve", program, (c) => c.execve(cString(program), argv.list, envp.list));
  throw new SysError("execve", `${argv.strings.length + envp.strings.length} strings`, 8); // not reached: it does not return
}

/**
 * The program's path, so that `ps` shows its name; the kernel's link where the path means something else by now, or is
 * out of reach without privileges.
 */
function ownProgram(): string {
  const link = "/proc/self/exe";
  try {
    const path = Deno.readLinkSync(link);
    const [named, running] = [Deno.statSync(path), Deno.statSync(link)];
    return named.ino === running.ino && named.dev === running.dev ? path : link;
  } catch (error) {
    if (error instanceof Error && "code" in error) return link;
    throw error;
  }
}

/** True when a user other than root, or none at all, is asked for and this process may become it. */
export function mayBecome(now: Privileges, { uid, gid }: Wanted): boolean {
  const uidFine = uid === null || uid === now.uid || has(now, CAP_SETUID);
  const gidFine = gid === null || gid === now.gid || has(now, CAP_SETGID);
  return uidFine && gidFine;
}

/** Bit mask of capabilities. */
export function maskOf(capabilities: readonly number[]): bigint {
  return capabilities.reduce((mask, cap) => mask | (1n << BigInt(cap)), 0n);
}

function has({ effective }: Privileges, capability: number): boolean {
  return (effective & (1n << BigInt(capability))) !== 0n;
}

function setCapabilities(sets: { effective: bigint; permitted: bigint; inheritable: bigint }): void {
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, CAPABILITY_VERSION_3, true);
  const data = new Uint8Array(24); // twice (low and high 32 bits) effective, permitted, inheritable
  const view = new DataView(data.buffer);
  [sets.effective, sets.permitted, sets.inheritable].forEach((mask, i) => {
    view.setUint32(4 * i, Number(mask & BigInt(LOW)), true);
    view.setUint32(12 + 4 * i, Number(mask >> 32n), true);
  });
  demand("capset", "this thread", (c) => c.capset(header, data));
}

/** An ordinary user keeps capabilities over an exec only as ambient ones. */
function raiseAmbient(keep: bigint): void {
  for (let cap = 0; cap < 64; cap++) {
    if ((keep & (1n << BigInt(cap))) === 0n) continue;
    const raise = BigInt(PR_CAP_AMBIENT_RAISE);
    demand("prctl", `ambient capability ${cap}`, (c) => c.prctl(PR_CAP_AMBIENT, raise, BigInt(cap), 0n, 0n));
  }
}

/** A NULL-terminated array of pointers to C strings, and the strings, which must live as long. */
function pointers(words: readonly string[]): { list: Uint8Array<ArrayBuffer>; strings: Uint8Array<ArrayBuffer>[] } {
  const strings = words.map(cString);
  const addresses = new BigUint64Array([...strings.map((string) => addressOf(string.buffer)), 0n]);
  return { list: new Uint8Array(addresses.buffer), strings };
}
