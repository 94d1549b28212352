/**
 * What the device says, folded into what is known of one client: the answer to the tracker's question.
 *
 * Pure. A LUN lists registrations, not clients: which one is ours is told by TransportID and target port where the host
 * reveals them, and by the key otherwise, which proves less when several nexuses share it.
 *
 * @module
 */
import type { InitiatorHint } from "./nexus.ts";
import { isOwn } from "./own.ts";
import type { Tracked } from "./tracker.ts";
import { type PrState, prTypeInfo, type Registration } from "./types.ts";

/** Our end of the nexus, as far as the host reveals it. */
export interface OwnPort {
  readonly initiator: InitiatorHint | null;
  readonly relativeTargetPort: number | null;
}

/** A host that reveals nothing. */
export const UNKNOWN_PORT: OwnPort = { initiator: null, relativeTargetPort: null };

/** What was found out. */
export interface Observation {
  readonly tracked: Tracked;
  /** What the answer left open, as a clause; `null` when it left nothing open. */
  readonly open: string | null;
}

/** What `seen` says of the client of which `before` is known. */
export function observe(before: Tracked, seen: PrState, { initiator, relativeTargetPort }: OwnPort): Observation {
  const whose = seen.registrations.map((each) => ({ each, own: isOwn(each, initiator, relativeTargetPort) }));
  const definite = whose.filter(({ own }) => own === true).map(({ each }) => each);
  if (definite.length > 0) return conclude(before, seen, preferKey(before, definite));
  const possible = whose.filter(({ own }) => own === null).map(({ each }) => each);
  if (possible.length === 0) return { tracked: { ...before, key: 0n, type: 0 }, open: null };
  if (before.key === null) return adopt(before, seen, initiator === null ? [] : possible);
  if (before.key === 0n) return { tracked: { ...before, type: 0 }, open: "a registration might be this host's" };
  const same = possible.filter(({ key }) => key === before.key);
  return same.length > 0 ? conclude(before, seen, same) : { tracked: { ...before, key: 0n, type: 0 }, open: null };
}

/** Two registrations of this very nexus cannot be, but a device that shows them is not to stop us. */
function preferKey(before: Tracked, definite: readonly Registration[]): readonly Registration[] {
  const same = definite.filter(({ key }) => key === before.key);
  return same.length > 0 ? same : definite;
}

/**
 * Nothing was known. A registration of our initiator is taken over though its target port may be another one; where
 * nobody has a name there is nothing to go by, and a stranger's key must not become ours.
 */
function adopt(before: Tracked, seen: PrState, possible: readonly Registration[]): Observation {
  const open = "nothing tells for certain which registration is this host's";
  const named = possible.filter(({ transportId }) => transportId !== null);
  return { tracked: named.length === 0 ? before : conclude(before, seen, named).tracked, open };
}

function conclude(before: Tracked, seen: PrState, candidates: readonly Registration[]): Observation {
  const [first, ...others] = candidates.map((each) => ({ key: each.key, type: typeHeld(each, seen) }));
  const key = others.every((each) => each.key === first!.key) ? first!.key : null;
  const type = others.every((each) => each.type === first!.type) ? first!.type : null;
  const open = key === null || type === null ? "several registrations could be this host's, and they differ" : null;
  return { tracked: { ...before, key, type }, open };
}

function typeHeld(registration: Registration, { reservation }: PrState): number {
  if (!reservation) return 0;
  return registration.holder || prTypeInfo(reservation.type)?.allRegistrants ? reservation.type : 0;
}
