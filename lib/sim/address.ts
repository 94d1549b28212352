/**
 * Addresses of simulated LUNs: `sim:FILE?nexus=NAME`, with options behind `&`.
 *
 *   nexus=NAME     who is asking: the name of the initiator, 1 to 63 letters, digits, "." and "-"; case does not matter
 *   port=N         through which relative target port (1): another port is another nexus of the same initiator
 *   delayMs=N      wait before every command, for benches and for watching
 *   create         make the LUN if FILE is not there; without it a missing FILE is an error, as a missing disk is
 *   profile=NAME   which target a LUN made by `create` behaves like: spc4 (default), lio, lio-no-aptpl, scst, tgt
 *
 * Pure.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { type NexusId, nexusId } from "../pr/sim/nexus_id.ts";
import { type Profile, PROFILES } from "../pr/sim/profile.ts";

/** A simulated LUN's address, taken apart. */
export interface SimAddress {
  /** Path of the file. */
  readonly file: string;
  /** Who asks, through which port. */
  readonly nexus: NexusId;
  /** Milliseconds before every command. */
  readonly delayMs: number;
  /** Make the LUN if it is not there. */
  readonly create: boolean;
  /** Demanded profile; `null` for whatever the LUN has. */
  readonly profile: Profile | null;
}

const OPTIONS: readonly string[] = ["nexus", "port", "delayMs", "create", "profile"];
const MAX_DELAY_MS = 60_000;

/** Takes an address apart. Throws PrmigError `usage` that says which part is wrong. */
export function parseSimAddress(address: string): SimAddress {
  const match = /^sim:(.+)\?([^?]*)$/s.exec(address);
  if (!match) throw wrong(address, "it has no ?nexus=NAME");
  const [, file = "", query = ""] = match;
  const options = new URLSearchParams(query);
  for (const name of options.keys()) {
    if (!OPTIONS.includes(name)) throw wrong(address, `there is no option "${name}"`);
    if (options.getAll(name).length > 1) throw wrong(address, `"${name}" is there twice`);
  }
  const profileName = options.get("profile");
  const profile = profileName === null ? null : Object.hasOwn(PROFILES, profileName) ? PROFILES[profileName]! : null;
  if (profileName !== null && profile === null) {
    throw wrong(address, `there is no profile "${profileName}", only ${Object.keys(PROFILES).join(", ")}`);
  }
  return {
    file,
    nexus: nexusOf(address, options),
    delayMs: number(address, options, "delayMs", MAX_DELAY_MS) ?? 0,
    create: flag(address, options, "create"),
    profile,
  };
}

function nexusOf(address: string, options: URLSearchParams): NexusId {
  const name = options.get("nexus");
  if (name === null || name === "") throw wrong(address, "it does not say which nexus asks");
  try {
    return nexusId(name, number(address, options, "port", 0xffff));
  } catch (error) {
    if (error instanceof RangeError) throw wrong(address, error.message);
    throw error;
  }
}

function number(address: string, options: URLSearchParams, name: string, max: number): number | undefined {
  const text = options.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (!(value <= max)) throw wrong(address, `${name}=${text} is no number from 0 to ${max}`);
  return value;
}

function flag(address: string, options: URLSearchParams, name: string): boolean {
  const value = options.get(name);
  if (value !== null && value !== "" && value !== "1") throw wrong(address, `"${name}" takes no value`);
  return value !== null;
}

function wrong(address: string, what: string): PrmigError {
  return new PrmigError("usage", {
    message: `"${address}" is no address of a simulated LUN: ${what}`,
    device: address,
    lun: "not touched",
    remedy: "write sim:FILE?nexus=NAME, for example sim:lun.json?nexus=A",
  });
}
