/**
 * prmig: words in, exit code out.
 *
 * @module
 */
import { VERSION } from "./lib/cli/version.ts";

if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  console.log(VERSION);
} else {
  // No literal within import(): Deno reads whatever it can see from here before it runs the first line, and to print a
  // version nothing more is needed. lib/cli/start.ts is the entry for tools that have to see it all.
  const program = "./lib/cli/start.ts";
  const { start } = await import(program) as typeof import("./lib/cli/start.ts");
  Deno.exit(await start(Deno.args));
}
