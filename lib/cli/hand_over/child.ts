/**
 * The other side as a child process: `--to 'ssh dst prmig recv'`.
 *
 * @module
 */
import type { Duplex } from "./duplex.ts";

/** How long the child may take to end by itself once its stdin is closed. */
const END_MS = 5000;

/** Runs `command` by the shell, its stdin and stdout being the stream; its stderr is ours. */
export function spawnOther(command: string): Duplex {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `exec ${command}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  return {
    readable: child.stdout,
    write: (bytes) => writer.write(bytes),
    close: async () => {
      await writer.close().catch(() => undefined); // it may be gone already, and then there is nothing to close
      const timer = setTimeout(() => child.kill("SIGTERM"), END_MS);
      await child.status;
      clearTimeout(timer);
    },
  };
}
