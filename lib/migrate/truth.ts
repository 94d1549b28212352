/**
 * What is true of a LUN now, in words: the second line of every error and the last of every report.
 *
 * @module
 */
import { formatKey, prTypeInfo, type Registration } from "../pr/types.ts";
import { nexusName } from "./offer.ts";
import type { Picture, Seat } from "./picture.ts";

/** One sentence about one LUN in the light of a hand-over. */
export function truthOf(picture: Picture): string {
  const { source, destination, state } = picture;
  const { reservation } = state;
  const type = reservation === null
    ? "no reservation"
    : prTypeInfo(reservation.type)?.name ?? `type ${reservation.type}`;
  return `${type}; source ${seatInWords(source)}; destination ${seatInWords(destination)}; ` +
    `${state.registrations.length} registration${state.registrations.length === 1 ? "" : "s"} in all`;
}

function seatInWords(seat: Seat): string {
  if (seat.under === "gone") return "not registered";
  const verb = seat.holds ? "holds" : "registered";
  return `${verb} under ${[...new Set(seat.registrations.map((r) => formatKey(r.key)))].join(" and ")}`;
}

/** Who holds the reservation now, for the report of a fenced guest. */
export function holderInWords(picture: Picture): string {
  const holder = picture.state.registrations.find((r) => r.holder);
  if (!holder) return "nobody holds a reservation now";
  return `the reservation is now held by ${who(holder)}`;
}

function who(registration: Registration): string {
  return `${nexusName(registration) ?? "a nexus the target does not name"} under key ${formatKey(registration.key)}`;
}
