/**
 * Where the bundle begins: main.ts with nothing hidden from the bundler.
 *
 * The program runs in a turn of its own, after this module's evaluation: the runtime puts only what has been evaluated to its
 * end into its code cache, and a program that exits before never has a cached start (37 ms in place of 24; bench/README.md).
 *
 * @module
 */
import { VERSION } from "../../lib/cli/version.ts";

if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  console.log(VERSION);
} else {
  setTimeout(async () => {
    const { start } = await import("../../lib/cli/start.ts");
    Deno.exit(await start(Deno.args));
  }, 0);
}
