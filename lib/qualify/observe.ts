/**
 * The state of a LUN as a line of text, wanted and seen alike, so that comparing is comparing texts and a difference
 * can be read.
 *
 *     A=K1 B=K2, type 5 held by A, generation +1, PTPL_A 0
 *
 * @module
 */
import { decodeCapabilities } from "../pr/capabilities.ts";
import { PR_IN_ACTION } from "../pr/cdb.ts";
import { decodeFullStatus, type FullStatusEntry } from "../pr/full_status.ts";
import type { Nexus } from "../pr/nexus.ts";
import { decodeReadKeys } from "../pr/read_keys.ts";
import { decodeReadReservation } from "../pr/read_reservation.ts";
import { sameTransportId } from "../pr/transport_id.ts";
import { prTypeInfo, type Reservation } from "../pr/types.ts";
import { type BenchLun, ROOM, type SomeNexuses } from "./bench_lun.ts";
import { keyName, PLAYERS, type StateStep } from "./scenario.ts";
import { resultOf, sendIn } from "./talk.ts";

/** A state read, or the result that kept it from being read. */
export type Observed = { readonly text: string; readonly generation: number } | { readonly failed: string };

/** The line a step wants; by keys alone where the device does not tell who is who. */
export function wantedState(step: StateStep, byKeysOnly: boolean): string {
  const players = PLAYERS.filter((player) => step.registered[player] !== undefined);
  const keys = players.map((player) => {
    const key = keyName(step.registered[player] ?? 0n);
    return byKeysOnly ? key : `${player}=${key}`;
  });
  return line(keys, wantedHeld(step, byKeysOnly), step.generation, step.ptpl);
}

function wantedHeld({ held, registered }: StateStep, byKeysOnly: boolean): string {
  if (held === null) return "not reserved";
  if (!byKeysOnly) return `type ${held.type} held by ${held.by}`;
  return `type ${held.type} held under ${keyName(held.by === "all" ? 0n : registered[held.by] ?? 0n)}`;
}

function line(keys: readonly string[], held: string, generation: number | null, ptpl: boolean | null): string {
  const registered = keys.length === 0 ? "nobody registered" : [...keys].sort().join(" ");
  return `${registered}, ${held}` + (generation === null ? "" : `, generation +${generation}`) +
    (ptpl === null ? "" : `, PTPL_A ${ptpl ? 1 : 0}`);
}

/**
 * Reads the LUN through one nexus: READ KEYS, READ RESERVATION, READ FULL STATUS (where there is one), and
 * REPORT CAPABILITIES where the step asks. Where they contradict each other, the text says so.
 * `since` is PRGENERATION to count from.
 */
export async function observe(
  lun: BenchLun<SomeNexuses>,
  nexus: Nexus,
  step: StateStep,
  since: number,
): Promise<Observed> {
  const read = async (action: number): Promise<Uint8Array> => {
    const reply = await sendIn(nexus, action, ROOM);
    const result = resultOf(reply);
    if (result !== "good") throw new Unread(result);
    return reply.dataIn;
  };
  try {
    const { keys, generation } = decodeReadKeys(await read(PR_IN_ACTION.readKeys));
    const answer = decodeReadReservation(await read(PR_IN_ACTION.readReservation));
    const reservation = answer.kind === "complete" ? answer.reservation : null;
    const full = lun.ports === null ? null : decodeFullStatus(await read(PR_IN_ACTION.readFullStatus)).registrations;
    const ptpl = step.ptpl === null ? null : await readPtpl(read);
    const grown = step.generation === null ? null : (generation - since) >>> 0;
    const text = full === null
      ? line(keys.map(keyName), heldUnder(reservation), grown, ptpl)
      : line(full.map((entry) => shown(lun, entry)), heldBy(lun, full, reservation), grown, ptpl) +
        contradictions(full, keys);
    return { text, generation };
  } catch (error) {
    if (error instanceof Unread) return { failed: error.message };
    throw error;
  }
}

class Unread extends Error {}

async function readPtpl(read: (action: number) => Promise<Uint8Array>): Promise<boolean | null> {
  const answer = decodeCapabilities(await read(PR_IN_ACTION.reportCapabilities));
  return answer.kind === "complete" ? answer.capabilities.ptplActive : null;
}

/** PRGENERATION now, or `null` when the nexus may not read it. */
export async function readGeneration(nexus: Nexus): Promise<number | null> {
  const reply = await sendIn(nexus, PR_IN_ACTION.readKeys, ROOM);
  return resultOf(reply) === "good" ? decodeReadKeys(reply.dataIn).generation : null;
}

function shown(lun: BenchLun<SomeNexuses>, entry: FullStatusEntry): string {
  return `${nameOf(lun, entry)}=${keyName(entry.key)}`;
}

function nameOf({ ports }: BenchLun<SomeNexuses>, { transportId, relativeTargetPort }: FullStatusEntry): string {
  const found = PLAYERS.find((player) => {
    const port = ports?.[player];
    return port !== undefined && sameTransportId(port.transportId, transportId) &&
      (port.relativeTargetPort === relativeTargetPort || relativeTargetPort === "all");
  });
  return found ?? `${transportId.protocol}:${transportId.address}`;
}

/** Who holds by READ FULL STATUS, checked against READ RESERVATION. */
function heldBy(lun: BenchLun<SomeNexuses>, full: readonly FullStatusEntry[], reservation: Reservation | null): string {
  const holders = full.filter(({ holder }) => holder);
  if (reservation === null) return holders.length === 0 ? "not reserved" : "not reserved, but R_HOLDER is set";
  const { type, key } = reservation;
  const all = prTypeInfo(type)?.allRegistrants ?? false;
  const wantedKey = all ? 0n : holders[0]?.key;
  const names = all && holders.length === full.length
    ? "all"
    : holders.map((entry) => nameOf(lun, entry)).join(" and ");
  const typeDiffers = holders.some(({ held }) => held?.type !== type);
  return `type ${type} held by ${names === "" ? "nobody" : names}` +
    (key === wantedKey ? "" : `, but READ RESERVATION shows key ${keyName(key)}`) +
    (typeDiffers ? ", but READ FULL STATUS shows another type" : "");
}

function heldUnder(reservation: Reservation | null): string {
  return reservation === null ? "not reserved" : `type ${reservation.type} held under ${keyName(reservation.key)}`;
}

function contradictions(full: readonly FullStatusEntry[], keys: readonly bigint[]): string {
  const sorted = (list: readonly bigint[]): string => list.map(keyName).sort().join(" ");
  const ofFull = sorted(full.map(({ key }) => key));
  return ofFull === sorted(keys) ? "" : `, but READ KEYS shows ${sorted(keys)}`;
}
