/**
 * `--daemon`: the helper as a process of its own session, and a parent that ends when the helper can be connected to.
 *
 * The parent passes on what the helper says until then, and fails as the helper fails. A runtime with threads cannot fork,
 * so the helper is a fresh start of the same program.
 *
 * @module
 */
import { EXIT } from "../../errors.ts";
import type { CommandContext } from "../context.ts";

const DETACHED = "PRMIG_SNOOP_DETACHED";
/** What the helper says when it is ready; not for people, and not passed on. */
export const READY_LINE = "prmig-snoop-is-ready";

/** True in the process that is the daemon. */
export function isDetached(env: CommandContext["env"]): boolean {
  return env(DETACHED) === "1";
}

/** Starts the daemon; the exit code of the parent. */
export async function detach({ err }: CommandContext): Promise<number> {
  const [program, ...args] = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
  // The runtime's own name may be relative to a directory that is no more; the link is not.
  const command = program?.startsWith("/") ? program : Deno.execPath();
  const child = new Deno.Command(command, {
    args,
    env: { [DETACHED]: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  let rest = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === READY_LINE) {
        child.unref();
        return EXIT.ok;
      }
      err.line(line);
    }
  }
  const { code } = await child.status;
  return code === EXIT.ok ? EXIT.failed : code;
}
