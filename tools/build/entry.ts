/**
 * Where the bundle begins: main.ts with nothing hidden from the bundler.
 *
 * @module
 */
import { VERSION } from "../../lib/cli/version.ts";

if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  console.log(VERSION);
} else {
  const { start } = await import("../../lib/cli/start.ts");
  Deno.exit(await start(Deno.args));
}
