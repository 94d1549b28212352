/**
 * A check for people: the verdict first, then what stands in the way, what is to be known, what is well. Pure.
 *
 *     /dev/sdb: no, 1 finding stands in the way
 *       no       ours        this host is not registered; 2 others are
 *                            try: prmig dump /dev/sdb
 *       warning  power loss  registrations do not survive ...
 *       ok       identity    naa.6001405...
 *
 * @module
 */
import { clean } from "../clean.ts";
import type { Colour } from "../colour.ts";
import { wrap } from "../layout.ts";
import { type Finding, verdictOf } from "./finding.ts";

const LEVELS = ["no", "warning", "ok"] as const;
const INDENT = "  ";

/** The lines of a check. */
export function checkText(name: string, findings: readonly Finding[], colour: Colour, columns: number): string {
  const count = findings.filter(({ level }) => level === "no").length;
  const head = verdictOf(findings) === "yes"
    ? `${name}: ${colour.good("yes")}, a hand-over can begin`
    : `${name}: ${colour.bad("no")}, ${count === 1 ? "1 finding stands" : `${count} findings stand`} in the way`;
  const column = Math.max(...findings.map(({ about }) => about.length)) + 2;
  const sorted = LEVELS.flatMap((wanted) => findings.filter(({ level }) => level === wanted));
  return [head, ...sorted.flatMap((finding) => lines(finding, column, colour, columns))].join("\n");
}

function lines({ level, about, says, remedy }: Finding, column: number, colour: Colour, columns: number): string[] {
  const style = { ok: colour.good, warning: colour.notice, no: colour.bad }[level];
  const left = INDENT.length + "warning  ".length + column;
  const [first = "", ...rest] = wrap(clean(says), columns, " ".repeat(left));
  const head = INDENT + style(level) + " ".repeat("warning  ".length - level.length) + about.padEnd(column);
  const tried = remedy === null ? [] : wrap(`try: ${clean(remedy)}`, columns, " ".repeat(left));
  return [head + first.trimStart(), ...rest, ...tried];
}
