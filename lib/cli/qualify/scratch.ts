/**
 * Whether a LUN is one that may be played with: nobody uses it, the nexuses are several and lead to the same LUN.
 *
 *   never             nexuses that are one; LUNs that differ; a LUN without a name; one that is mounted, swapped to, or
 *                     below another volume; scenarios that somebody is playing just now
 *   unless --scratch  registrations and reservations of others (they are removed), partitions, file systems
 *   always            what an interrupted run has left (it is removed, and said): registrations under its keys, a
 *                     RESERVE(6) of these very nexuses
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { PR_IN_ACTION } from "../../pr/cdb.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { patient } from "../../pr/patient.ts";
import { readState } from "../../pr/read_state.ts";
import { formatKey, type PrState } from "../../pr/types.ts";
import { isAtWork } from "../../qualify/at_work.ts";
import { clean } from "../../qualify/bench_lun.ts";
import { ordinaryCommand } from "../../qualify/ordinary.ts";
import { isScenarioKey } from "../../qualify/own_keys.ts";
import type { SomeNexuses } from "../../qualify/players.ts";
import { resultOf, sendIn } from "../../qualify/talk.ts";
import { tidy } from "../../qualify/tidy.ts";
import { DISK_TYPES } from "../hand_over/luns.ts";
import { readContents } from "./read_contents.ts";
import type { Site } from "./site.ts";

/** What the preparation needs beside the sites. */
export interface Ground {
  /** `--scratch`. */
  readonly scratch: string | undefined;
  /** Tells what was removed. */
  readonly note: (text: string) => void;
  readonly wait: (ms: number) => Promise<void>;
}

/** Refuses, or makes the LUN ready. Rejects with PrmigError `usage`, `refused`, `device`. */
export async function makeGround(sites: readonly Site[], ground: Ground): Promise<void> {
  const [first] = sites;
  if (first === undefined) throw new RangeError("no site");
  refuseOneNexus(sites);
  const designator = sameLun(sites);
  refuseUse(sites);
  const consents = consent(designator, ground.scratch);
  const partitions = sites.flatMap(({ address, use }) => use.partitions.map((name) => `${address} has ${name}`));
  if (partitions.length > 0 && !consents) throw notScratch(first, designator, partitions);
  const foreign = await withoutOwn(sites, ground);
  if (foreign !== null && !consents) throw notScratch(first, designator, describe(foreign));
  // Last, because what we had left there may have kept it from being read.
  const contents = consents ? null : await readContents(patient(first.nexus));
  if (contents !== null) throw notScratch(first, designator, [`${first.address} holds ${contents}`]);
  if (foreign === null) return;
  for (const what of describe(foreign)) ground.note(`removed, as --scratch says: ${what}`);
  await clean(nexusesOf(sites));
}

/** Takes away what is ours. Resolves with the state of a LUN on which there are others, or `null`. */
async function withoutOwn(sites: readonly Site[], { note, wait }: Ground): Promise<PrState | null> {
  const first = sites[0]!;
  const nexus = patient(first.nexus);
  if (await isHidden(nexus)) await giveBack(sites, note);
  const state = await readState(nexus);
  const own = state.registrations.filter(({ key }) => isScenarioKey(key));
  if (own.length > 0) {
    if (await isAtWork(nexus, wait)) throw inUse(first);
    const { removed, broken } = await tidy(nexusesOf(sites));
    for (const error of broken.values()) throw error;
    const keys = removed.map(formatKey).join(", ");
    note(`an earlier run was interrupted: ${own.length} of its registrations are removed (${keys})`);
  }
  return own.length < state.registrations.length ? await readState(nexus) : null;
}

/** The nexuses of the sites: the players, in order. */
export function nexusesOf(sites: readonly Site[]): SomeNexuses {
  const [A, B, C] = sites.map(({ nexus }) => nexus);
  if (A === undefined || B === undefined) throw new RangeError("two nexuses at least");
  return C === undefined ? { A, B } : { A, B, C };
}

/**
 * A reservation by RESERVE(6) carries no key; but RELEASE(6) ends only what this very nexus reserved, and an interrupted
 * scenario leaves just that on a LUN that nobody uses.
 */
async function giveBack(sites: readonly Site[], note: Ground["note"]): Promise<void> {
  const { cdb, data } = ordinaryCommand("release6", 0);
  for (const { nexus } of sites) await patient(nexus).execute(cdb, data);
  const first = sites[0]!;
  if (await isHidden(patient(first.nexus))) {
    throw refused(first, "another initiator has reserved it by RESERVE(6)", {
      remedy: "release it there, or reset the LUN; --scratch does not override this",
    });
  }
  note("a reservation by RESERVE(6) of these nexuses is given back: an earlier run was interrupted");
}

/** An SPC-2 reservation answers READ KEYS with a conflict. */
async function isHidden(nexus: Nexus): Promise<boolean> {
  return resultOf(await sendIn(nexus, PR_IN_ACTION.readKeys, 8)) === "conflict";
}

function describe({ registrations, reservation }: PrState): string[] {
  const who = registrations.map(({ key, transportId }) =>
    `a registration under ${formatKey(key)}${transportId === null ? "" : ` (${transportId.address})`}`
  );
  return reservation === null ? who : [...who, `a reservation of type ${reservation.type}`];
}

/** Before anything is sent that changes something; whether the target thinks so too is seen when they introduce themselves. */
function refuseOneNexus(sites: readonly Site[]): void {
  sites.forEach((site, i) => {
    const twin = sites.slice(0, i).find((other) =>
      other.address === site.address || (other.hctl !== null && other.hctl === site.hctl)
    );
    if (twin === undefined) return;
    throw refused(site, `${twin.address} and ${site.address} are one and the same nexus`, {
      remedy: "name the LUN through initiators with different names, or through different target ports",
    });
  });
}

function sameLun(sites: readonly Site[]): string {
  const first = sites[0]!;
  for (const site of sites) {
    const { designator, deviceType } = site.identity;
    if (!DISK_TYPES.includes(deviceType)) {
      throw refused(site, `${site.address} is no disk (device type ${deviceType})`, { kind: "device" });
    }
    if (designator === null) {
      throw refused(site, `${site.address} gives no name by which to tell it (VPD page 83h)`, { kind: "device" });
    }
    if (designator !== first.identity.designator) {
      const names = `${first.address} is ${first.identity.designator}, ${site.address} is ${designator}`;
      throw refused(site, `the devices are not the same LUN: ${names}`, {
        remedy: "name one LUN through two or three nexuses",
      });
    }
  }
  return first.identity.designator!;
}

function refuseUse(sites: readonly Site[]): void {
  for (const site of sites) {
    const { users } = site.use;
    if (users.length === 0) continue;
    throw refused(site, `${site.address} is in use: ${users.join("; ")}`, {
      remedy: "unmount it, or name a scratch LUN; --scratch does not override this",
    });
  }
}

/** Whether the user named this LUN. Another one named is a mistake. */
function consent(designator: string, scratch: string | undefined): boolean {
  if (scratch === undefined) return false;
  if (scratch.toLowerCase() === designator.toLowerCase()) return true;
  throw new PrmigError("usage", {
    message: `--scratch names ${scratch}, and the LUN is ${designator}`,
    lun: "not touched",
    remedy: "name the LUN that may be overwritten, by its designator",
  });
}

function notScratch(site: Site, designator: string, why: readonly string[]): PrmigError {
  return refused(site, `this may be no scratch LUN: ${why.join("; ")}`, {
    remedy: `if nobody needs what is on it, say so: --scratch ${designator}`,
  });
}

function inUse(site: Site): PrmigError {
  return refused(site, "somebody is playing the scenarios on it at this moment", {
    remedy: "wait until that prmig qualify has ended",
  });
}

function refused(
  { address }: Site,
  why: string,
  { kind = "refused", remedy = `prmig dump ${address}` }: { kind?: "refused" | "device"; remedy?: string } = {},
): PrmigError {
  return new PrmigError(kind, {
    message: `Cannot qualify ${address}: ${why}`,
    device: address,
    lun: "unchanged: it was only read",
    remedy,
  });
}
