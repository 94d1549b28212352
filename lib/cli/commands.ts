/**
 * All commands, in the order of the help. A new one is a file in commands/ and a line here.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { check } from "./commands/check.ts";
import { demo } from "./commands/demo.ts";
import { dump } from "./commands/dump.ts";
import { explain } from "./commands/explain.ts";
import { help } from "./commands/help.ts";
import { migrate } from "./commands/migrate.ts";
import { preempt } from "./commands/preempt.ts";
import { qmpRelay } from "./commands/qmp_relay.ts";
import { qualify } from "./commands/qualify.ts";
import { qualifyRelay } from "./commands/qualify_relay.ts";
import { recover } from "./commands/recover.ts";
import { recv } from "./commands/recv.ts";
import { rollback } from "./commands/rollback.ts";
import { send } from "./commands/send.ts";
import { snoop } from "./commands/snoop.ts";
import { timeline } from "./commands/timeline.ts";
import { watch } from "./commands/watch.ts";

/** Every command there is. */
export const COMMANDS: readonly Command[] = [
  dump,
  watch,
  timeline,
  snoop,
  check,
  qualify,
  send,
  recv,
  migrate,
  recover,
  rollback,
  preempt,
  qmpRelay,
  qualifyRelay,
  explain,
  demo,
  help,
];
