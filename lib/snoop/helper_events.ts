/**
 * The helper's findings as events and as words for its log. Pure.
 *
 * @module
 */
import { BeReader } from "../bytes.ts";
import { prOutActionName } from "../pr/cdb.ts";
import { describeTransportId } from "../pr/describe.ts";
import { isOwn } from "../pr/own.ts";
import type { Tracked } from "../pr/tracker.ts";
import { formatKey, type PrState } from "../pr/types.ts";
import { describeOutcome, type Outcome } from "../scsi/outcome.ts";
import type { EventKind, EventState, PrEvent } from "./event.ts";
import type { HelperAnswer, HelperRequest } from "./helper_protocol.ts";
import type { LunPath } from "./lun_path.ts";
import type { Who } from "./who.ts";

/** What is known of one PR OUT. */
export interface PrOutStory {
  /** Where it went, and what is known afterwards. */
  readonly entry: { readonly path: LunPath; readonly tracked: Tracked | null };
  readonly request: HelperRequest;
  readonly who: Who;
  readonly before: Tracked | null;
  readonly ended: { readonly answer: HelperAnswer; readonly outcome: Outcome };
  readonly time: string;
  readonly startedUs: number;
  readonly endedUs: number;
  readonly note?: string;
}

/** A PR OUT as an event: exact keys, and what the client held before and holds now. */
export function prOutEvent(story: PrOutStory): PrEvent {
  const { entry: { path, tracked }, request: { cdb, parameters }, who, ended, time } = story;
  const { rk, sark } = keysOf(parameters);
  return {
    time,
    device: path.device,
    event: "prOut",
    source: "helper",
    serviceAction: prOutActionName(cdb[1]! & 0x1f),
    status: describeOutcome(ended.outcome),
    key: rk,
    newKey: sark,
    type: cdb[2]! & 0x0f,
    before: story.before && { key: story.before.key, type: story.before.type },
    after: tracked && { key: tracked.key, type: tracked.type },
    ...placeOf(path),
    startedUs: story.startedUs,
    endedUs: story.endedUs,
    pid: who.pid,
    uid: who.uid,
    ...(who.program === null ? {} : { program: who.program }),
    statusByte: ended.answer.status,
    ...(story.note === undefined ? {} : { note: story.note }),
  };
}

/** Something the helper found out about a nexus. `seen`: the LUN's own answer, where it was asked. */
export function stateEvent(
  event: EventKind,
  path: LunPath,
  before: Tracked | null,
  after: Tracked,
  seen: PrState | null,
  time: string,
  note: string,
): PrEvent {
  return {
    time,
    device: path.device,
    event,
    source: "helper",
    serviceAction: null,
    status: null,
    key: after.key,
    newKey: null,
    type: after.type,
    before: before && { key: before.key, type: before.type },
    after: { key: after.key, type: after.type, ...(seen ? seenState(path, seen) : {}) },
    ...placeOf(path),
    note,
  };
}

/** Keys and type of a PR OUT for a log line; nothing where the parameter list has none. */
export function prOutFacts(cdb: Uint8Array, parameters: Uint8Array): Record<string, string | number | null> {
  const { rk, sark } = keysOf(parameters);
  return {
    key: rk === null ? null : formatKey(rk),
    newKey: sark === null ? null : formatKey(sark),
    type: cdb[2]! & 0x0f,
  };
}

/** "0x000000000000beef type 5", "0x000000000000beef", "nothing", "not known". */
export function holds({ key, type }: Tracked): string {
  if (key === null) return "not known";
  if (key === 0n) return "nothing";
  return type === 0 ? formatKey(key) : `${formatKey(key)} type ${type ?? "not known"}`;
}

function keysOf(parameters: Uint8Array): { rk: bigint | null; sark: bigint | null } {
  if (parameters.length < 16) return { rk: null, sark: null };
  const list = new BeReader(parameters);
  return { rk: list.u64(0, "RESERVATION KEY"), sark: list.u64(8, "SERVICE ACTION RESERVATION KEY") };
}

function placeOf({ designator, devno, hctl }: LunPath): Pick<PrEvent, "lun" | "devno" | "hctl"> {
  return { ...(designator === null ? {} : { lun: designator }), devno, ...(hctl === null ? {} : { hctl }) };
}

function seenState({ own }: LunPath, { generation, registrations }: PrState): Partial<EventState> {
  return {
    generation,
    registrations: registrations.map((each) => ({
      key: each.key,
      holder: each.holder,
      self: isOwn(each, own.initiator, own.relativeTargetPort),
      initiator: each.transportId && describeTransportId(each.transportId),
    })),
  };
}
