/**
 * What a look at a LUN says, as events. Pure.
 *
 * @module
 */
import { describeTransportId } from "../pr/describe.ts";
import { type Cause, diffStates, explainChange } from "../pr/diff.ts";
import type { PrState, Registration } from "../pr/types.ts";
import type { EventKind, EventState, PrEvent } from "./event.ts";
import { isoMicros } from "./stamp.ts";

/** Whether a registration is ours; `null`: cannot be told. */
export type IsOwn = (registration: Registration) => boolean | null;

/** A LUN as its events name it. */
export interface LunName {
  readonly device: string;
  /** Designator; `null`: none known. */
  readonly lun: string | null;
}

/** The whole state as an event tells it. */
export function toEventState({ generation, reservation, registrations }: PrState, isOwn: IsOwn): EventState {
  return {
    key: reservation?.key ?? null,
    type: reservation?.type ?? 0,
    generation,
    registrations: registrations.map((registration) => ({
      key: registration.key,
      holder: registration.holder,
      self: isOwn(registration),
      initiator: registration.transportId ? describeTransportId(registration.transportId) : null,
    })),
  };
}

/** An event without a command: a look began, ended, or found something to say. */
export function lookEvent(
  event: EventKind,
  name: LunName,
  wallUs: number,
  more: Partial<Pick<PrEvent, "before" | "after" | "note" | "status" | "key" | "type" | "endedUs" | "startedUs">> = {},
): PrEvent {
  return {
    time: isoMicros(wallUs),
    device: name.device,
    event,
    source: "poll",
    serviceAction: null,
    status: null,
    key: null,
    newKey: null,
    type: null,
    before: null,
    after: null,
    ...(name.lun === null ? {} : { lun: name.lun }),
    ...more,
  };
}

/** The event of a change; `null` when both states are the same. Key and type are those of the reservation after it. */
export function changeEvent(
  name: LunName,
  wallUs: number,
  before: PrState,
  after: PrState,
  isOwn: IsOwn,
  causes: readonly Cause[],
): PrEvent | null {
  const changes = diffStates(before, after, causes);
  if (changes.length === 0) return null;
  return lookEvent("change", name, wallUs, {
    key: after.reservation?.key ?? null,
    type: after.reservation?.type ?? 0,
    before: toEventState(before, isOwn),
    after: toEventState(after, isOwn),
    note: changes.map(explainChange).join("; "),
  });
}
