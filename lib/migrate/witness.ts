/**
 * Who tells a source that stands under its token whether the guest was fenced: the destination's registration, which a
 * third party that preempts the guest's key removes.
 *
 * Only a registration that was there before the commit can tell. A destination with several paths may still be registering
 * the others, and one that comes after the fencing would make it look as if there had been none. The destination itself
 * goes by the path that it registered first.
 *
 * @module
 */
import { type NexusName, nexusName } from "./offer.ts";
import type { Picture } from "./picture.ts";
import type { Leg } from "./run.ts";

/** Remembers the destination as it is before a commit. */
export function callWitnesses(legs: readonly Leg[], pictures: readonly Picture[]): void {
  legs.forEach((leg, i) => {
    const names = pictures[i]!.destination.registrations.map(nexusName);
    // Where the target hides who is who, the destination is alone under its one-time key.
    leg.witnesses = names.filter((name) => name !== null);
  });
}

/** Destination: remembers the paths that it will register first, and which are its own. */
export function bearWitness(legs: readonly Leg[]): void {
  for (const leg of legs) {
    const { name } = leg.own[0]!;
    leg.mine = namesOf(leg.own);
    if (name !== null) leg.witnesses = [name];
  }
}

/** The names of these paths; `undefined` where one is not known. */
export function namesOf(own: Leg["own"], more: readonly NexusName[] = []): readonly NexusName[] | undefined {
  const names = own.flatMap(({ name }) => name ?? []);
  return names.length === own.length ? [...new Set([...names, ...more])] : undefined;
}

/** True when the destination is registered, with a nexus that was there before the source can have committed. */
export function hasWitness({ witnesses }: Leg, { destination }: Picture): boolean {
  if (witnesses === undefined || witnesses.length === 0) return destination.under !== "gone";
  return destination.registrations.some((r) => witnesses.includes(nexusName(r) ?? ""));
}
