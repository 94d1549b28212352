/**
 * `prmig check`: looks at a LUN from this side, and from the other one where it is named, and judges.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { CommandContext } from "../context.ts";
import { readDump } from "../dump/read.ts";
import type { DumpRecord } from "../dump/record.ts";
import { withSnooped } from "../dump/snooped.ts";
import { openDevice, traceOf } from "../open.ts";
import { runDirectory } from "../run_directory.ts";
import { exitCodeOf, type Finding, fine, obstacle, verdictOf } from "./finding.ts";
import { hostFindings } from "./host_findings.ts";
import { destinationFindings, lunFindings, sourceFindings } from "./lun_findings.ts";
import { askOther, isCommand } from "./other_side.ts";
import { checkText } from "./text.ts";

/** What the command line asks for. */
export interface CheckInput {
  readonly source: string;
  readonly destination: string | undefined;
  /** Milliseconds a command may take. */
  readonly timeout: number;
}

/** Resolves with the exit code: 0 for yes. What cannot be looked at is a finding, too; wrong words are errors. */
export async function runCheck(input: CheckInput, context: CommandContext): Promise<number> {
  const { source, destination } = input;
  const findings: Finding[] = [];
  const here = await looked(source, () => look(source, input, context), findings);
  if (here !== null) {
    findings.push(...lunFindings(here), ...sourceFindings(here), ...hostFindings(here, context.env));
  }
  if (destination !== undefined) {
    const other = isCommand(destination) ? askOther : (word: string) => look(word, input, context);
    const there = await looked(destination, () => other(destination, context), findings);
    if (here !== null && there !== null) findings.push(...destinationFindings(here, there));
  }
  report(input, here, findings, context);
  return exitCodeOf(findings);
}

async function looked(
  name: string,
  read: () => Promise<DumpRecord>,
  findings: Finding[],
): Promise<DumpRecord | null> {
  try {
    const record = await read();
    findings.push(fine("readable", `${name} was read without changing anything`));
    return record;
  } catch (error) {
    if (!(error instanceof PrmigError) || error.kind === "usage" || error.kind === "interrupted") throw error;
    const { message, remedy } = error.facts;
    findings.push(obstacle("readable", error.kind === "refused" ? "refused" : "device", message, remedy));
    return null;
  }
}

/** Opens for reading alone; a command that writes would be a defect, and is refused below. */
async function look(address: string, { timeout }: CheckInput, context: CommandContext): Promise<DumpRecord> {
  const device = await openDevice(address, { writable: false, trace: traceOf(context), timeoutMs: timeout });
  try {
    return withSnooped(await readDump(device), runDirectory(context.env));
  } finally {
    device.close();
  }
}

function report(
  { source, destination }: CheckInput,
  here: DumpRecord | null,
  findings: readonly Finding[],
  { json, out }: CommandContext,
): void {
  if (!json) {
    const name = destination === undefined ? source : `${source} -> ${destination}`;
    return out.line(checkText(name, findings, out.colour, out.columns));
  }
  const shown = findings.map(({ about, level, says, remedy }) => ({ about, level, says, remedy }));
  const lun = here?.lun.designator ?? null;
  out.json({ device: source, destination: destination ?? null, lun, verdict: verdictOf(findings), findings: shown });
}
