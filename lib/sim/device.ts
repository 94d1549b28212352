/**
 * What a new simulated LUN is like unless told otherwise.
 *
 * @module
 */
import type { SimDevice, SimIdentity } from "../pr/sim/model.ts";
import { type Profile, SPC4 } from "../pr/sim/profile.ts";
import { toHex } from "../bytes.ts";

/** Choices for a new simulated LUN. */
export interface SimOptions {
  /** Which target it behaves like; the standard by default. */
  readonly profile?: Profile;
  /** Relative target ports, 1 and 2 by default. */
  readonly ports?: readonly number[];
  /** Capacity in blocks of 512 bytes, 128 by default. */
  readonly blocks?: number;
  /** Registrations it has room for, 64 by default. */
  readonly maxRegistrations?: number;
  /** Identity; a serial number and designator of its own by default. */
  readonly identity?: Partial<SimIdentity>;
}

const SERIAL_BYTES = 8;
/** NAA type 3: assigned by whoever runs the device, unique to nobody else. */
const LOCALLY_ASSIGNED = "3";

/** A device of these options, with a random serial number unless one is given. */
export function newSimDevice(options: SimOptions = {}): SimDevice {
  const serial = options.identity?.serial ?? toHex(crypto.getRandomValues(new Uint8Array(SERIAL_BYTES)));
  return {
    identity: {
      vendor: "PRMIG",
      product: "SIMULATED LUN",
      revision: "1",
      serial,
      naa: LOCALLY_ASSIGNED + (serial.toLowerCase().replaceAll(/[^0-9a-f]/g, "") + "0".repeat(15)).slice(0, 15),
      ...options.identity,
    },
    ports: options.ports ?? [1, 2],
    blocks: options.blocks ?? 128,
    maxRegistrations: options.maxRegistrations ?? 64,
    profile: options.profile ?? SPC4,
  };
}
