/**
 * The source reads a LUN, checks that it is what it believes, and makes the offer.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { readCapabilities } from "../pr/read_state.ts";
import { formatKey, isPrType, type PrState, type PrType, prTypeInfo } from "../pr/types.ts";
import { type Lun, observe } from "./lun.ts";
import { type Bystander, nexusName, type Offer } from "./offer.ts";
import { findOwnKey, type OwnKey } from "./own_key.ts";
import type { Leg } from "./run.ts";
import { isToken, makeToken, type Random32 } from "./tokens.ts";

/** What the caller knows or wants. */
export interface OfferOptions {
  /** The guest's key, as the caller believes it. */
  readonly key?: bigint;
  readonly random: Random32;
}

/** Reads `lun` and makes the offer. Sends no PR OUT unless it has to ask for its own key (own_key.ts). */
export async function makeOffer(lun: Lun, { key: believed, random }: OfferOptions): Promise<Leg> {
  const state = await observe(lun);
  const capabilities = await readCapabilities(lun.paths[0]!.nexus);
  const ptplActive = capabilities?.ptplActive ?? false;
  const found = await findOwnKey(lun, state, ptplActive, believed);
  if (found === null) throw notRegistered(lun, state, believed);
  if (isToken(found.key)) throw interruptedBefore(lun, found.key);
  if (believed !== undefined && believed !== found.key) throw otherKey(lun, believed, found.key);
  return { lun, own: found.own, offer: describe(lun, state, found, ptplActive, random) };
}

function describe(lun: Lun, state: PrState, { key, own }: OwnKey, ptplActive: boolean, random: Random32): Offer {
  const names = own.flatMap(({ name }) => name === null ? [] : [name]);
  const others = bystanders(state, key, names, own.length);
  const taken = state.registrations.map((r) => r.key);
  const commitToken = makeToken(random, taken);
  const addressesNobody = names.length === 0 || others.some((other) => other.key === key);
  return {
    designator: lun.designator,
    key,
    type: typeHeld(lun, state, key, names),
    generation: state.generation,
    ptplActive,
    commitToken,
    destinationToken: addressesNobody ? makeToken(random, [...taken, commitToken]) : null,
    source: names,
    others,
  };
}

function bystanders(state: PrState, key: bigint, names: string[], paths: number): Bystander[] {
  const all = state.registrations.map((r) => ({ name: nexusName(r), key: r.key }));
  if (names.length > 0) return all.filter(({ name }) => name === null || !names.includes(name));
  let ours = paths;
  return all.filter((r) => r.key !== key || ours-- <= 0).map(({ key }) => ({ name: null, key }));
}

function typeHeld(lun: Lun, state: PrState, key: bigint, names: string[]): PrType | 0 {
  const { reservation } = state;
  if (reservation === null) return 0;
  if (!isPrType(reservation.type)) {
    throw new PrmigError("refused", {
      message:
        `Cannot move the reservation of ${lun.device}: it has type ${reservation.type}, which no standard defines`,
      device: lun.device,
      lun: "unchanged",
      remedy: `prmig dump ${lun.device}`,
    });
  }
  if (prTypeInfo(reservation.type)!.allRegistrants) return reservation.type;
  const isOurs = (name: string | null): boolean => names.length > 0 ? names.includes(name ?? "") : true;
  return state.registrations.some((r) => r.holder && r.key === key && isOurs(nexusName(r))) ? reservation.type : 0;
}

function notRegistered(lun: Lun, state: PrState, believed: bigint | undefined): PrmigError {
  const count = state.registrations.length;
  const tokens = state.registrations.filter((r) => isToken(r.key)).length;
  const what = believed === undefined
    ? "this host is not registered"
    : `this host is not registered under ${formatKey(believed)}`;
  return new PrmigError("refused", {
    message: `Nothing to hand over on ${lun.device}: ${what}`,
    device: lun.device,
    lun: `unchanged: ${count} registration${count === 1 ? "" : "s"} of others` +
      (tokens > 0 ? `, ${tokens} of them under a one-time key of an unfinished hand-over` : ""),
    remedy: tokens > 0 ? "prmig recover" : `prmig dump ${lun.device}`,
  });
}

function interruptedBefore(lun: Lun, token: bigint): PrmigError {
  return new PrmigError("refused", {
    message: `Cannot hand over ${lun.device}: this host stands under the one-time key ${formatKey(token)}; ` +
      "an earlier hand-over ended before it was finished or undone",
    device: lun.device,
    lun: "unchanged",
    remedy: "prmig recover",
  });
}

function otherKey(lun: Lun, believed: bigint, found: bigint): PrmigError {
  return new PrmigError("refused", {
    message: `Cannot hand over ${lun.device}: this host is registered under ${formatKey(found)}, not ${
      formatKey(believed)
    }`,
    device: lun.device,
    lun: "unchanged",
    remedy: `check what the guest holds (prmig dump ${lun.device}), then use --key ${formatKey(found)}`,
  });
}
