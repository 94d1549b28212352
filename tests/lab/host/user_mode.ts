/**
 * Boots the lab's kernel as a process of this machine (user-mode Linux) and runs one command in it: no emulation, so that
 * what is measured there means something, and up in two seconds. One processor, and a kernel without tracing.
 *
 *   console.log in the out directory    kernel messages
 *   ttyS0, ttyS1                        serial lines: the command's standard output and error
 *   tty0                                in place of the two, with this program's terminal (interactive)
 *
 * @module
 */
import { type Orders, outcome, type Sink, writeOrders } from "./orders.ts";
import type { LabKit } from "../provision.ts";
import type { UserModeKit } from "./user_mode_kit.ts";

/** One machine. */
export interface UserMode extends Orders {
  readonly kit: LabKit;
  readonly kernel: UserModeKit;
  /** The whole machine is ended after this time. */
  readonly timeoutMs: number;
  readonly memoryMiB: number;
  /** Ends the machine when it fires. */
  readonly signal: AbortSignal;
}

/** Its kernel's messages go to a file; descriptors 3 and 4 are what our caller reads. */
const APART = 'exec "$@" 3>&1 4>&2 >"$LAB_CONSOLE" 2>&1';

/**
 * The command's exit code.
 *
 * @throws LabUnavailable if it was never started
 * @throws LabDied if it was, and the machine ended before it did
 */
export async function runUserMode(options: UserMode, stdout: Sink, stderr: Sink): Promise<number> {
  const { kit: { toolsRoot, busybox, guest }, kernel, out, interactive, signal } = options;
  await writeOrders(options, { machine: "um", toolsRoot, modules: kernel.modules, busybox, guest });
  const own = await Deno.makeTempDir({ prefix: "prmig-lab-" });
  try {
    const seconds = Math.ceil(options.timeoutMs / 1000);
    const lines = interactive ? ["con0=fd:0,fd:1"] : ["ssl0=null,fd:3", "ssl1=null,fd:4"];
    const argv = [
      // Were this program killed, the machine would still end: timeout(1) hears of it, and passes it on.
      ...["setpriv", "--pdeathsig", "TERM", "timeout", "--foreground", "-k", "5", String(seconds), kernel.program],
      ...[`mem=${options.memoryMiB}M`, `uml_dir=${own}`, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"],
      ...[`init=${options.repository}/tests/lab/init/user_mode.sh`, "quiet", "panic=1", "con=null", ...lines],
      `LAB_OUT=${out}`,
    ];
    const child = new Deno.Command("sh", {
      args: interactive ? ["-c", 'exec "$@"', "sh", ...argv] : ["-c", APART, "sh", ...argv],
      env: { LAB_CONSOLE: `${out}/console.log` },
      stdin: interactive ? "inherit" : "null",
      stdout: interactive ? "inherit" : "piped",
      stderr: interactive ? "inherit" : "piped",
    }).spawn();
    const stop = (): void => child.kill("SIGTERM");
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    const streams = interactive ? [] : [
      child.stdout.pipeTo(new WritableStream({ write: stdout })),
      child.stderr.pipeTo(new WritableStream({ write: stderr })),
    ];
    const { code } = await child.status;
    await Promise.all(streams);
    signal.removeEventListener("abort", stop);
    return await outcome(out, { program: "user-mode Linux", code, seconds, complaint: "" });
  } finally {
    await Deno.remove(own, { recursive: true });
  }
}
