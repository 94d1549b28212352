/**
 * How a hand-over that succeeded is told, to people and to programs.
 *
 * @module
 */
import type { Ending, Leg } from "../../migrate/run.ts";
import { nexusName } from "../../migrate/offer.ts";
import { formatKey, prTypeInfo } from "../../pr/types.ts";
import { truthOf } from "../../migrate/truth.ts";

/** For programs: one object a hand-over. */
export function resultJson(
  handOver: string,
  role: string,
  legs: readonly Leg[],
  { outcome, pictures }: Ending,
): unknown {
  return {
    handOver,
    role,
    outcome,
    luns: legs.map(({ lun, offer }, i) => ({
      device: lun.device,
      designator: offer.designator,
      key: formatKey(offer.key),
      type: offer.type,
      generation: pictures[i]!.state.generation,
      registrations: pictures[i]!.state.registrations.map((r) => ({
        key: formatKey(r.key),
        holder: r.holder,
        nexus: nexusName(r),
      })),
      disturbed: pictures[i]!.disturbed.map(({ name, key }) => ({ nexus: name, key: formatKey(key) })),
    })),
  };
}

/** For people: a line a LUN, and a warning for every bystander that was there before and is not now. */
export function resultText(legs: readonly Leg[], { pictures }: Ending): string[] {
  return legs.flatMap(({ lun, offer }, i) => {
    const what = offer.type === 0 ? "registration" : `${prTypeInfo(offer.type)!.name} reservation`;
    const picture = pictures[i]!;
    return [
      `moved: ${lun.device}: ${what} under ${formatKey(offer.key)} (${truthOf(picture)})`,
      ...picture.disturbed.map(({ name, key }) =>
        `note: ${lun.device}: ${name ?? "a nexus"} under ${formatKey(key)} was registered before and is not now`
      ),
    ];
  });
}
