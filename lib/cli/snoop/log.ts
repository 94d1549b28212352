/**
 * The helper's log as lines: `time=... level=... msg="..." name=value ...`, which people, journald and Loki read alike.
 *
 * Pure. Values that hold anything but plain characters are quoted; what a client chose (its program's name) cannot break
 * out of its quotes.
 *
 * @module
 */
import type { LogLine } from "../../snoop/log_line.ts";

const PLAIN = /^[A-Za-z0-9_./:@%+,-]+$/;

/** One line. Facts that are `null` are left out. */
export function formatLog({ level, message, facts = {} }: LogLine, time: Date): string {
  const told = Object.entries(facts).filter(([, value]) => value !== null);
  const pairs: [string, string | number][] = [["time", time.toISOString()], ["level", level], ["msg", message]];
  return [...pairs, ...told].map(([name, value]) => `${name}=${quoted(String(value))}`).join(" ");
}

function quoted(value: string): string {
  return PLAIN.test(value) ? value : JSON.stringify(value);
}
