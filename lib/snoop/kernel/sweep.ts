/**
 * Whose a trace instance or probe group is, and removing those whose process is gone.
 *
 *     instances/prmig-<pid>-<start time>        probe group prmig_<pid>_<start time>
 *
 * The start time (clock ticks since boot) tells a process from a later one of the same pid. A killed process leaves
 * both behind, enabled; the next one sweeps. What is still in use answers EBUSY and stays: a process in another pid
 * namespace looks gone from here, and is not.
 *
 * @module
 */
import { attempt, codeOf, type TraceFiles } from "./trace_files.ts";

/** A process, by what no other process ever has. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, as text. */
  readonly startTime: string;
}

const INSTANCE = /^prmig-(\d{1,10})-(\d{1,20})$/;
const GROUP = /^[pr](?:\d+)?:prmig_(\d{1,10})_(\d{1,20})\/(\w{1,64})\s/gm;

/** Name of the instance directory of a process. */
export function instanceName({ pid, startTime }: ProcessIdentity): string {
  return `prmig-${pid}-${startTime}`;
}

/** Name of the probe group of a process. */
export function groupName({ pid, startTime }: ProcessIdentity): string {
  return `prmig_${pid}_${startTime}`;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  const startTime = startTimeOf(Deno.pid);
  if (startTime === null) throw new Error("/proc does not show this process");
  return { pid: Deno.pid, startTime };
}

/** Whether that very process is there. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return startTimeOf(pid) === startTime;
}

/** Field 22 of /proc/PID/stat; `null` when there is no such process. */
function startTimeOf(pid: number): string | null {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    codeOf(error);
    return null;
  }
  // The command name may hold blanks and brackets; the fields after its last bracket count from 3.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3] ?? null;
}

/** What a sweep took away: instance names and `group/probe` names. */
export interface Swept {
  readonly instances: readonly string[];
  readonly probes: readonly string[];
}

/** Removes what processes that are gone left behind. Never throws for what it may not see or touch. */
export function sweep(files: TraceFiles, root: string, alive: (who: ProcessIdentity) => boolean = isAlive): Swept {
  const instances: string[] = [], probes: string[] = [];
  for (const name of listed(files, `${root}/instances`)) {
    const owner = INSTANCE.exec(name);
    if (!owner || alive({ pid: Number(owner[1]), startTime: owner[2]! })) continue;
    if (attempt(() => files.removeDirectory(`${root}/instances/${name}`)) === null) instances.push(name);
  }
  for (const [, pid, startTime, probe] of readOr(files, `${root}/kprobe_events`).matchAll(GROUP)) {
    const owner = { pid: Number(pid), startTime: startTime! };
    if (alive(owner)) continue;
    const name = `${groupName(owner)}/${probe}`;
    if (attempt(() => files.write(`${root}/kprobe_events`, `-:${name}\n`)) === null) probes.push(name);
  }
  return { instances, probes };
}

function listed(files: TraceFiles, path: string): string[] {
  try {
    return files.list(path);
  } catch (error) {
    codeOf(error);
    return [];
  }
}

function readOr(files: TraceFiles, path: string): string {
  try {
    return files.read(path);
  } catch (error) {
    codeOf(error);
    return "";
  }
}
