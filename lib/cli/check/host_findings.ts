/**
 * What this host allows: commands that write, a journal, tracing, the helper. Judged by looking alone: nothing is opened
 * for writing, made, or sent.
 *
 * @module
 */
import { decodeEntry, journalDirectory } from "../../migrate/journal.ts";
import { listDisks } from "../../sg/discover.ts";
import { codeOf, readAttribute } from "../../sg/host.ts";
import { TRACE_FILES } from "../../snoop/kernel/trace_files.ts";
import { findTracefs } from "../../snoop/kernel/trace_instance.ts";
import { KernelUnavailable } from "../../snoop/kernel/unavailable.ts";
import { CAP_SYS_RAWIO, maskOf, privileges } from "../../sys/privileges.ts";
import type { CommandContext } from "../context.ts";
import type { DumpRecord } from "../dump/record.ts";
import { type Finding, fine, obstacle, warning } from "./finding.ts";

/** Everything this host has to say of a LUN it is to hand over. */
export function hostFindings(record: DumpRecord, env: CommandContext["env"]): Finding[] {
  const simulated = record.device.startsWith("sim:");
  return [
    ...(simulated ? [] : [writing(record), ...node(record)]),
    ...journal(record, journalDirectory(env("PRMIG_STATE_DIR") || undefined)),
    ...(simulated ? [] : [tracing()]),
    ...snooped(record),
  ];
}

/** Whether commands that change something will be let through (prmig help privileges). */
function writing({ device, sg }: DumpRecord): Finding {
  const { uid, gid, groups, effective } = privileges();
  if ((effective & maskOf([CAP_SYS_RAWIO])) !== 0n) {
    return fine("permission", "commands that change the LUN are let through");
  }
  const mode = sg === device ? modeOf(device) : null;
  const mayWrite = mode !== null && (
    (mode.uid === uid && (mode.bits & 0o600) === 0o600) ||
    ([gid, ...groups].includes(mode.gid) && (mode.bits & 0o060) === 0o060) || (mode.bits & 0o006) === 0o006
  );
  if (mayWrite) return fine("permission", `this user may read and write ${device}`);
  const says = "this user may look, but commands that change the LUN will be refused (CAP_SYS_RAWIO)";
  return obstacle(
    "permission",
    "device",
    says,
    `run prmig as root, or name ${sg ?? "/dev/sgN"} and let this user write to it`,
  );
}

function modeOf(path: string): { uid: number; gid: number; bits: number } | null {
  try {
    const { uid, gid, mode } = Deno.statSync(path);
    return uid === null || gid === null || mode === null ? null : { uid, gid, bits: mode };
  } catch (error) {
    codeOf(error);
    return null;
  }
}

/** What sysfs says of the path: whether it works, and whether it is one of several. */
function node({ hctl, multipath }: DumpRecord): Finding[] {
  const path = listDisks().find((disk) => disk.hctl === hctl);
  if (path === undefined) return [];
  const found: Finding[] = [];
  if (path.state !== null && path.state !== "running") {
    const says = `the kernel calls the path ${path.state}`;
    found.push(obstacle("path", "device", says, `see why: journalctl -k | grep ${path.hctl}`));
  }
  if (multipath === null && path.multipath !== null) {
    const says = `it is one path of the map ${path.multipath}: registrations of the other paths would stay behind`;
    found.push(warning("multipath", says, `name the map: /dev/mapper/${path.multipath}`));
  }
  return found;
}

/** Whether a journal can be kept, and whether one of this LUN is still open. */
function journal({ lun }: DumpRecord, directory: string): Finding[] {
  const open: string[] = [];
  const unreadable: string[] = [];
  for (const name of namesIn(directory)) {
    if (!/^[0-9a-f-]{36}\.(source|destination)\.json$/.test(name)) continue;
    try {
      const { entry } = decodeEntry(Deno.readTextFileSync(`${directory}/${name}`));
      if (entry.luns.some(({ offer }) => offer.designator === lun.designator)) open.push(entry.handOver);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      unreadable.push(name); // spoilt, or closed while we looked: recover will say which
    }
  }
  if (open.length > 0) {
    const says = `a hand-over of this LUN is under way or was interrupted: ${open.join(", ")}`;
    return [obstacle("journal", "refused", says, `prmig recover ${open[0]}`)];
  }
  if (unreadable.length > 0) {
    return [warning("journal", `${unreadable.length} journals in ${directory} cannot be read`, "prmig recover --list")];
  }
  return [];
}

function namesIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch (error) {
    codeOf(error);
    return []; // not there yet, or not for this user; the first hand-over makes it
  }
}

function tracing(): Finding {
  try {
    const root = findTracefs({
      files: TRACE_FILES,
      lockdown: () => readAttribute("/sys/kernel/security/lockdown"),
      isRoot: () => Deno.uid() === 0,
    });
    return fine("snooping", `the kernel can be traced (${root}): prmig watch shows who sends what`);
  } catch (error) {
    if (!(error instanceof KernelUnavailable)) throw error;
    return warning("snooping", `prmig watch would only see what it reads: ${error.message}`, error.remedy);
  }
}

/** Where a helper has seen the guest's commands, its memory and the LUN should agree. */
function snooped({ snooped: told, device }: DumpRecord): Finding[] {
  if (told === null) return [];
  if (told.agrees) return [fine("helper", `prmig snoop knows the guest's key ${told.key}, and the LUN agrees`)];
  const says = `prmig snoop and the LUN disagree: ${told.difference}`;
  return [obstacle("helper", "refused", says, `find out who changed it: prmig watch ${device}`)];
}
