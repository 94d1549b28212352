/**
 * All commands, in the order of the help. A new one is a file in commands/ and a line here.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { dump } from "./commands/dump.ts";
import { help } from "./commands/help.ts";
import { preempt } from "./commands/preempt.ts";
import { recv } from "./commands/recv.ts";
import { send } from "./commands/send.ts";

/** Every command there is. */
export const COMMANDS: readonly Command[] = [dump, send, recv, preempt, help];
