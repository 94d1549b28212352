/**
 * Writes the manual pages: `deno run -A tools/man.ts [DIRECTORY]`, `build/man` when none is named.
 *
 * @module
 */
import { manualPages } from "./man/pages.ts";
import { release } from "./release.ts";

const directory = Deno.args[0] ?? "build/man";
await Deno.mkdir(directory, { recursive: true });
for (const [name, text] of manualPages(release())) await Deno.writeTextFile(`${directory}/${name}`, text);
