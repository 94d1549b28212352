/**
 * What a person was shown of a LUN when asked whether its guest was fenced. The answer counts for that LUN as it was, and for
 * no other: one that has changed since may have been fenced since.
 *
 * @module
 */
import type { PrState } from "../pr/types.ts";
import { type Bystander, nexusName } from "./offer.ts";

/** A LUN as it was shown: PRGENERATION counts every registration that comes, changes or goes, but starts anew with a target. */
export interface Shown {
  readonly generation: number;
  readonly registrations: readonly Bystander[];
}

/** The LUN as it is shown now. */
export function shownOf({ generation, registrations }: PrState): Shown {
  return { generation, registrations: registrations.map((r) => ({ name: nexusName(r), key: r.key })) };
}

/** True while the LUN is as it was shown. */
export function isAsShown({ generation, registrations }: Shown, state: PrState): boolean {
  const now = shownOf(state);
  const isThere = ({ name, key }: Bystander): boolean =>
    now.registrations.some((other) => other.name === name && other.key === key);
  return generation === now.generation && registrations.length === now.registrations.length &&
    registrations.every(isThere);
}
