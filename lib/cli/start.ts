/**
 * The whole program behind main.ts, in this process. A bundle starts here: nothing below is hidden from its analysis.
 *
 * @module
 */
import { main } from "./main.ts";
import { processWorld } from "./world.ts";

/** Does what the words say. Resolves with the exit code. */
export function start(words: readonly string[]): Promise<number> {
  return main(words, processWorld());
}
