/**
 * Where a bundle of the program begins. main.ts would do, but for the one import it hides so that `--version` is quick.
 *
 * @module
 */
import { start } from "../lib/cli/start.ts";

Deno.exit(await start(Deno.args));
