/**
 * `deno task lab`: a shell, or one command, in the lab.
 *
 *   deno task lab                                   an interactive shell
 *   deno task lab -- sg_persist -k /dev/sg0         one command; its output and exit code become ours
 *
 * The command runs as root in the repository's directory, with the machine's files as they were at the start; what it
 * changes is gone afterwards, except for /lab-out (told at the end).
 *
 * @module
 */
import { bootLab, endAs, parseFlags } from "./host/lab.ts";

const { flags, rest } = parseFlags(Deno.args);
const interactive = rest.length === 0;
const shell = Deno.env.get("SHELL") ?? "/bin/sh";
await endAs(async () => {
  const { code } = await bootLab({ ...flags, interactive, command: interactive ? [shell] : rest });
  return code;
});
