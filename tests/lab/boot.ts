/**
 * `deno task lab`: a shell, or one command, in the lab.
 *
 *   deno task lab                                   an interactive shell
 *   deno task lab -- sg_persist -k /dev/sg0         one command; its output and exit code become ours
 *
 * The command runs as root in the repository's directory, with the machine's files as they were at the start; what it
 * changes is gone afterwards, except what it puts into /lab-out (which directory that is, is told at the start).
 *
 * @module
 */
import { FlagError, parseFlags } from "./host/flags.ts";
import { bootLab, endAs } from "./host/lab.ts";

await endAs(async () => {
  const { flags, rest } = parseFlags(Deno.args);
  if (rest[0]?.startsWith("-")) throw new FlagError(`${rest[0]}: no flag of the lab, and no command`);
  const interactive = rest.length === 0;
  const command = interactive ? [Deno.env.get("SHELL") ?? "/bin/sh"] : rest;
  return (await bootLab({ ...flags, interactive, command })).code;
});
