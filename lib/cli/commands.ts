/**
 * All commands, in the order of the help. A new one is a file in commands/ and a line here.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { help } from "./commands/help.ts";

/** Every command there is. */
export const COMMANDS: readonly Command[] = [help];
