/**
 * Does the LUN say what was snooped? Pure. The LUN is right; the question is whether something happened that no guest's
 * command explains.
 *
 * @module
 */
import { formatKey } from "../pr/types.ts";

/** A registration, as far as this question goes. `null`: it cannot be told. */
export interface SeenRegistration {
  readonly key: bigint;
  /** Is it this nexus'? */
  readonly self: boolean | null;
  readonly holder: boolean | null;
}

/** The LUN's own answer. */
export interface SeenLun {
  readonly registrations: readonly SeenRegistration[];
  /** Type of its reservation; 0: none. */
  readonly type: number;
}

/** What differs, as a sentence without its full stop; `null` when nothing does. `type`: held, 0 none, `null` not known. */
export function differenceOf(
  { registrations, type: typeNow }: SeenLun,
  key: bigint,
  type: number | null,
): string | null {
  const ours = registrations.filter(({ self }) => self !== false);
  const certain = ours.find(({ self }) => self === true);
  if (key === 0n) {
    return certain ? `snooped: not registered; the LUN has this nexus under ${formatKey(certain.key)}` : null;
  }
  const same = ours.filter((each) => each.key === key);
  if (same.length === 0 || (certain && certain.key !== key)) {
    const now = certain ? `has this nexus under ${formatKey(certain.key)}` : "does not have this nexus under it";
    return `snooped: registered under ${formatKey(key)}; the LUN ${now}`;
  }
  return type === null ? null : holding(same, type, typeNow);
}

function holding(same: readonly SeenRegistration[], type: number, typeNow: number): string | null {
  if (type === 0) {
    // Under types 7 and 8 a registrant holds without having done anything for it.
    const holds = typeNow < 7 && same.length === 1 && same[0]!.holder === true;
    return holds ? `snooped: holds nothing; on the LUN it holds type ${typeNow}` : null;
  }
  if (!same.some(({ holder }) => holder !== false)) {
    return `snooped: holds type ${type}; on the LUN it does not hold the reservation`;
  }
  return type === typeNow ? null : `snooped: holds type ${type}; on the LUN the reservation has type ${typeNow}`;
}
