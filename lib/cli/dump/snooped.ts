/**
 * Beside a LUN's own answer: what `prmig snoop` believes of this path, and whether the two agree.
 *
 * What was snooped is a memory, and the LUN is right; a difference means that something happened which no guest's command
 * explains.
 *
 * @module
 */
import { join } from "../../files/paths.ts";
import { formatKey } from "../../pr/types.ts";
import { entries } from "../../sg/host.ts";
import { differenceOf } from "../../snoop/agreement.ts";
import { CorruptState, LUN_DIRECTORY, lunFile, readSnooped, type SnoopedNexus } from "../../snoop/state.ts";
import type { DumpRecord, DumpSnooped } from "./record.ts";

/**
 * Files of LUNs that were snooped, by path. Of many LUNs most were not: a look into the directory tells that for all of them,
 * where looking for the files would be three or four a LUN, and an exception for each.
 */
export function snoopedFiles(runDirectory: string): ReadonlySet<string> {
  const directory = join(runDirectory, LUN_DIRECTORY);
  return new Set(entries(directory).map((name) => join(directory, name)));
}

/** The record with what was snooped of its first path that has been snooped. A spoilt file counts as none. */
export function withSnooped(
  record: DumpRecord,
  runDirectory: string,
  files: ReadonlySet<string> = snoopedFiles(runDirectory),
): DumpRecord {
  const ids = [...record.lun.designators, ...(record.hctl === null ? [] : [`hctl-${record.hctl}`])];
  if (!ids.some((id) => files.has(lunFile(runDirectory, id)))) return record;
  const nodes = [record.device, record.sg, record.block, ...record.paths].filter((node) => node !== null);
  try {
    const found = readSnooped(runDirectory, { designators: record.lun.designators, hctl: record.hctl, nodes });
    return { ...record, snooped: found && compared(record, found.nexus) };
  } catch (error) {
    if (error instanceof CorruptState) return record;
    throw error;
  }
}

/** What was snooped, with its verdict; `null` while not even the key is known. */
export function compared(record: Omit<DumpRecord, "snooped">, nexus: SnoopedNexus): DumpSnooped | null {
  if (nexus.key === null) return null;
  const registrations = record.registrations.map(({ key, self, holder }) => ({ key: BigInt(key), self, holder }));
  const difference = differenceOf({ registrations, type: record.reservation?.type ?? 0 }, nexus.key, nexus.type);
  const { since, type, open: uncertain } = nexus;
  return { key: formatKey(nexus.key), type: type ?? 0, since, uncertain, agrees: difference === null, difference };
}
