/**
 * Where a bundle of the program begins that stands for itself. main.ts would do, but for the one import it hides so that
 * `--version` is quick. The one file has a beginning of its own: tools/build/first.ts.
 *
 * @module
 */
import { start } from "../lib/cli/start.ts";

Deno.exit(await start(Deno.args));
