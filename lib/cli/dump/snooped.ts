/**
 * Beside a LUN's own answer: what `prmig snoop` believes of this path, and whether the two agree.
 *
 * The comparing is pure. What was snooped is a memory, and the LUN is right; a difference means that something happened
 * which no guest's command explains.
 *
 * @module
 */
import { formatKey } from "../../pr/types.ts";
import { CorruptState, readSnooped, type SnoopedNexus } from "../../snoop/state.ts";
import type { DumpRecord, DumpRegistration, DumpSnooped } from "./record.ts";

/** The record with what was snooped of its first path that has been snooped. A spoilt file counts as none. */
export function withSnooped(record: DumpRecord, runDirectory: string): DumpRecord {
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
  const difference = differenceOf(record, nexus.key, nexus.type);
  const { since, type, open: uncertain } = nexus;
  return { key: formatKey(nexus.key), type: type ?? 0, since, uncertain, agrees: difference === null, difference };
}

function differenceOf(
  { registrations, reservation }: Omit<DumpRecord, "snooped">,
  key: bigint,
  type: number | null,
): string | null {
  const ours = registrations.filter(({ self }) => self !== false);
  const certain = ours.filter(({ self }) => self === true);
  if (key === 0n) {
    return certain.length === 0 ? null : `snooped: not registered; the LUN has this nexus under ${certain[0]!.key}`;
  }
  const same = ours.filter((each) => each.key === formatKey(key));
  if (same.length === 0) {
    const now = certain[0] ? `has this nexus under ${certain[0].key}` : "does not have this nexus under it";
    return `snooped: registered under ${formatKey(key)}; the LUN ${now}`;
  }
  return type === null ? null : holdingDifference(same, type, reservation?.type ?? 0);
}

function holdingDifference(same: readonly DumpRegistration[], type: number, typeNow: number): string | null {
  const holds = same.some(({ holder }) => holder === true);
  const mayHold = same.some(({ holder }) => holder !== false);
  if (type === 0) {
    return holds && same.length === 1 ? `snooped: holds nothing; on the LUN it holds type ${typeNow}` : null;
  }
  if (!mayHold) return `snooped: holds type ${type}; on the LUN it does not hold the reservation`;
  return type === typeNow ? null : `snooped: holds type ${type}; on the LUN the reservation has type ${typeNow}`;
}
