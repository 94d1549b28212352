/**
 * Reads a LUN's registrations, reservation and capabilities over any Nexus, as one consistent picture.
 *
 *   READ FULL STATUS      one snapshot: who, under which key, who holds
 *   READ RESERVATION      the key as the device shows it
 *   equal PRGENERATION?   yes: done after two commands; no: once more, five times at most
 *
 * Without READ FULL STATUS (tgt), or when it does not fit the longest answer: READ KEYS instead, and nobody has a name.
 * Sends PERSISTENT RESERVE IN alone. Give it a {@link patient} nexus: a unit attention here is an error.
 * Errors: PrmigError, as lib/pr/read_failure.ts words them; rejections of the nexus pass through.
 *
 * @module
 */
import { BeReader, ShortBuffer } from "../bytes.ts";
import { classify, type Outcome } from "../scsi/outcome.ts";
import { type Capabilities, CAPABILITIES_BYTES, decodeCapabilities } from "./capabilities.ts";
import { MAX_ALLOCATION, PR_IN_ACTION, type PrInAction, prInActionName } from "./cdb.ts";
import { prIn } from "./commands.ts";
import { decodeFullStatus, type FullStatusEntry } from "./full_status.ts";
import { Malformed } from "./malformed.ts";
import type { Nexus } from "./nexus.ts";
import { isUnsupported, readFailure, restless, unreadable } from "./read_failure.ts";
import { decodeReadKeys } from "./read_keys.ts";
import { decodeReadReservation, READ_RESERVATION_BYTES } from "./read_reservation.ts";
import { isPrType, type PrState, prTypeInfo, type Registration, type Reservation } from "./types.ts";

const FIRST_BUFFER = 8192;
/**
 * LIO leaves out the descriptors that do not fit and shortens ADDITIONAL LENGTH to match, so only a buffer with room
 * for the longest descriptor left (iSCSI: 24 + 4 + name 223 + `,i,0x` 5 + ISID 12 + padding) proves that none is missing.
 */
const LONGEST_DESCRIPTOR = 300;
const TRIES = 5;

interface Snapshot {
  readonly generation: number;
  readonly registrations: readonly FullStatusEntry[];
}

/** Reads registrations and reservation: two commands when nothing moves meanwhile. */
export async function readState(nexus: Nexus): Promise<PrState> {
  let disagreement: string | null = null;
  for (let left = TRIES; left > 0; left--) {
    const whole = await readFullStatus(nexus);
    if (!whole) return readByKeys(nexus);
    const { generation, reservation } = await readReservation(nexus);
    if (generation !== whole.generation) continue;
    const state = { generation, reservation, registrations: whole.registrations.map(plain) };
    if (agree(whole.registrations, reservation)) return state;
    // RESERVE and RELEASE do not count as a generation, so look again; a device that insists is shown as it is.
    const seen = fingerprint(whole, reservation);
    if (seen === disagreement) return state;
    disagreement = seen;
  }
  throw restless(nexus.address, TRIES);
}

/** Reads registrations with READ FULL STATUS alone, the reservation taken from its R_HOLDER descriptors: for polling. */
export async function readRegistrations(nexus: Nexus): Promise<PrState> {
  const whole = await readFullStatus(nexus);
  if (!whole) return readByKeys(nexus);
  const { generation, registrations } = whole;
  return { generation, reservation: reservationOf(registrations), registrations: registrations.map(plain) };
}

/** Reads the capabilities: one command. `null` when the device does not report them. */
export async function readCapabilities(nexus: Nexus): Promise<Capabilities | null> {
  const answer = await read(nexus, "reportCapabilities", CAPABILITIES_BYTES);
  if (answer.bytes === null) return unsupported(nexus, "reportCapabilities", answer.outcome);
  const said = understand(nexus, "reportCapabilities", () => decodeCapabilities(answer.bytes));
  if (said.kind === "truncated") throw cutShort(nexus, "reportCapabilities", answer.bytes.length, said.neededBytes);
  return said.capabilities;
}

/** One whole snapshot; `null` when the device has none to give, or none that fits 65535 bytes. */
async function readFullStatus(nexus: Nexus): Promise<Snapshot | null> {
  for (let size = FIRST_BUFFER;;) {
    const answer = await read(nexus, "readFullStatus", size);
    if (answer.bytes === null) return unsupported(nexus, "readFullStatus", answer.outcome);
    const bytes = answer.bytes;
    const said = understand(nexus, "readFullStatus", () => decodeFullStatus(bytes));
    const used = 8 + new BeReader(bytes).u32(4, "ADDITIONAL LENGTH");
    if (said.kind === "complete" && size - used >= LONGEST_DESCRIPTOR) return said;
    if (size === MAX_ALLOCATION) return null;
    const wanted = said.kind === "truncated" ? said.neededBytes + LONGEST_DESCRIPTOR : 0;
    size = Math.min(MAX_ALLOCATION, Math.max(2 * size, wanted));
  }
}

async function readByKeys(nexus: Nexus): Promise<PrState> {
  for (let left = TRIES; left > 0; left--) {
    const keys = await readKeys(nexus);
    const { generation, reservation } = await readReservation(nexus);
    if (generation !== keys.generation) continue;
    const everybody = reservation !== null && prTypeInfo(reservation.type)?.allRegistrants === true;
    const registrations = keys.keys.map((key) => ({
      key,
      // Where several share the holder's key the device does not tell which of them holds: all of them might.
      holder: everybody || key === reservation?.key,
      relativeTargetPort: null,
      transportId: null,
    }));
    return { generation, reservation, registrations };
  }
  throw restless(nexus.address, TRIES);
}

async function readKeys(nexus: Nexus): Promise<{ generation: number; keys: readonly bigint[] }> {
  for (let size = FIRST_BUFFER;;) {
    const bytes = await readOrFail(nexus, "readKeys", size);
    const said = understand(nexus, "readKeys", () => decodeReadKeys(bytes));
    // Older LIO shortened ADDITIONAL LENGTH here too: a full buffer proves nothing.
    if (said.kind === "complete" && size - 8 * said.keys.length >= 16) return said;
    if (size === MAX_ALLOCATION) {
      if (said.kind === "complete") return said;
      throw cutShort(nexus, "readKeys", bytes.length, said.neededBytes);
    }
    size = Math.min(MAX_ALLOCATION, Math.max(2 * size, said.kind === "truncated" ? said.neededBytes + 8 : 0));
  }
}

async function readReservation(nexus: Nexus): Promise<{ generation: number; reservation: Reservation | null }> {
  const bytes = await readOrFail(nexus, "readReservation", READ_RESERVATION_BYTES);
  const said = understand(nexus, "readReservation", () => decodeReadReservation(bytes));
  if (said.kind === "truncated") throw cutShort(nexus, "readReservation", bytes.length, said.neededBytes);
  return said;
}

type Answer =
  | { readonly bytes: Uint8Array; readonly outcome: Outcome }
  | { readonly bytes: null; readonly outcome: Outcome };

async function read(nexus: Nexus, action: PrInAction, allocationLength: number): Promise<Answer> {
  const reply = await prIn(nexus, action, allocationLength);
  const outcome = classify(reply);
  return { bytes: outcome.kind === "good" ? reply.dataIn : null, outcome };
}

async function readOrFail(nexus: Nexus, action: PrInAction, allocationLength: number): Promise<Uint8Array> {
  const { bytes, outcome } = await read(nexus, action, allocationLength);
  if (bytes === null) throw readFailure(nexus.address, commandName(action), outcome);
  return bytes;
}

/** `null` for a service action the device does not have; every other outcome is an error. */
function unsupported(nexus: Nexus, action: PrInAction, outcome: Outcome): null {
  if (isUnsupported(outcome)) return null;
  throw readFailure(nexus.address, commandName(action), outcome);
}

function understand<T>(nexus: Nexus, action: PrInAction, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ShortBuffer || error instanceof Malformed) {
      throw unreadable(nexus.address, commandName(action), error);
    }
    throw error;
  }
}

function cutShort(nexus: Nexus, action: PrInAction, got: number, needed: number): Error {
  const cause = new Malformed("length of the answer", `${got} bytes arrived of ${needed}`);
  return unreadable(nexus.address, commandName(action), cause);
}

function commandName(action: PrInAction): string {
  return `PERSISTENT RESERVE IN, ${prInActionName(PR_IN_ACTION[action])}`;
}

function plain({ key, holder, relativeTargetPort, transportId }: FullStatusEntry): Registration {
  return { key, holder, relativeTargetPort, transportId };
}

function reservationOf(registrations: readonly FullStatusEntry[]): Reservation | null {
  const holders = registrations.filter(({ held }) => held !== null);
  // Should a device leave the type out of some descriptors, another one has it.
  const holder = holders.find(({ held }) => held !== null && isPrType(held.type)) ?? holders[0];
  if (!holder?.held) return null;
  const key = prTypeInfo(holder.held.type)?.allRegistrants ? 0n : holder.key;
  return { key, type: holder.held.type, scope: holder.held.scope };
}

/** Do R_HOLDER and READ RESERVATION tell the same story? */
function agree(registrations: readonly FullStatusEntry[], reservation: Reservation | null): boolean {
  const derived = reservationOf(registrations);
  return derived?.key === reservation?.key && derived?.type === reservation?.type;
}

function fingerprint(whole: Snapshot, reservation: Reservation | null): string {
  const holders = whole.registrations.map(({ key, held }) => `${key}:${held?.type}`);
  return `${whole.generation} ${holders.join()} ${reservation?.key}:${reservation?.type}`;
}
