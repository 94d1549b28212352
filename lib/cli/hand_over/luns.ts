/**
 * From addresses to the LUNs of a hand-over: opened for writing, identified, their paths named.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { type Lun, type Path, pathName } from "../../migrate/lun.ts";
import type { Offer } from "../../migrate/offer.ts";
import { readIdentity } from "../../pr/read_identity.ts";
import { listDisks } from "../../sg/discover.ts";
import type { NodeInfo } from "../../sg/node.ts";
import type { CommandContext } from "../context.ts";
import { type OpenDevice, openDevice, traceOf } from "../open.ts";

/** Peripheral device types whose reservations guard a medium: block, simplified block, zoned block. */
export const DISK_TYPES: readonly number[] = [0x00, 0x0e, 0x14];

/** LUNs that were opened, and the one way to give them back. */
export class OpenLuns {
  readonly luns: Lun[] = [];
  #devices: OpenDevice[] = [];

  constructor(readonly context: CommandContext) {}

  /** Opens one LUN. Rejects with PrmigError `device` when it cannot be, or is no LUN with a designator. */
  async open(address: string, writable = true): Promise<Lun> {
    const device = await openDevice(address, { writable, trace: traceOf(this.context) });
    this.#devices.push(device);
    const lun = await identified(device);
    this.luns.push(lun);
    return lun;
  }

  /** Closes everything. */
  close(): void {
    for (const device of this.#devices) device.close();
    this.#devices = [];
  }
}

async function identified({ address, paths }: OpenDevice): Promise<Lun> {
  let designator: string | null = null;
  const named: Path[] = [];
  for (const nexus of paths) {
    const identity = await readIdentity(nexus, { retry: false });
    if (!DISK_TYPES.includes(identity.deviceType) || identity.designator === null) {
      throw notALun(address, identity.deviceType);
    }
    if (designator !== null && designator !== identity.designator) throw mixedPaths(address);
    designator = identity.designator;
    named.push({ nexus, relativeTargetPort: identity.relativeTargetPort });
  }
  return { device: address, designator: designator!, paths: named };
}

/** Finds an offered LUN: among the devices the user named, in order, else among all SCSI disks of this host. */
export function finder(open: OpenLuns, named: readonly string[]): (offer: Offer) => Promise<Lun> {
  const waiting = [...named];
  return async (offer) => {
    const next = waiting.shift();
    if (next !== undefined) return await open.open(next);
    if (named.length > 0) throw tooFew(named.length);
    return await search(open, offer);
  };
}

/** The LUN by its designator: its multipath map where it has one, else the first path that is not the source's own. */
async function search(open: OpenLuns, offer: Offer): Promise<Lun> {
  const unreadable: string[] = [];
  const sourcesOwn: string[] = [];
  for (const address of candidates(listDisks())) {
    const trial = new OpenLuns(open.context);
    try {
      const { designator, paths } = await trial.open(address, false);
      if (designator !== offer.designator) continue;
      if (paths.some((path) => offer.source.includes(pathName(path) ?? ""))) sourcesOwn.push(address);
      else return await open.open(address);
    } catch (error) {
      if (!(error instanceof PrmigError)) throw error;
      unreadable.push(`${address}: ${error.message}`);
    } finally {
      trial.close();
    }
  }
  const hints = [
    ...sourcesOwn.length > 0 ? [`only as the source's own nexus: ${sourcesOwn.join(", ")}`] : [],
    ...unreadable.length > 0 ? [`not readable: ${unreadable.join("; ")}`] : [],
  ];
  throw new PrmigError("refused", {
    message: `No SCSI disk of this host is ${offer.designator}` + (hints.length > 0 ? ` (${hints.join("; ")})` : ""),
    lun: "unchanged: nothing was sent to it",
    remedy: "give this host access to the LUN and rescan, or name its device: prmig recv DEV",
  });
}

/** One address a LUN or path: a path of a map stands for the map. */
function candidates(disks: readonly NodeInfo[]): string[] {
  const addresses = disks.flatMap(({ multipath, block, sg }) =>
    multipath ? [`/dev/mapper/${multipath}`] : block ?? sg ?? []
  );
  return [...new Set(addresses)];
}

function notALun(address: string, deviceType: number): PrmigError {
  const what = DISK_TYPES.includes(deviceType)
    ? "it has no designator that names it"
    : `it is no disk (device type ${deviceType})`;
  return new PrmigError("device", {
    message: `Cannot hand over ${address}: ${what}`,
    device: address,
    lun: "unchanged: only INQUIRY was sent",
    remedy: "a hand-over needs a LUN with a designator in VPD page 83h, so that both hosts can tell it is the same",
  });
}

function mixedPaths(address: string): PrmigError {
  return new PrmigError("refused", {
    message: `The paths of ${address} lead to different LUNs`,
    device: address,
    lun: "unchanged: only INQUIRY was sent",
    remedy: "mend the multipath configuration, or name a single path",
  });
}

function tooFew(count: number): PrmigError {
  return new PrmigError("refused", {
    message: `The source offers more LUNs than the ${count} named here`,
    lun: "unchanged: nothing was sent",
    remedy: "name them all, in the source's order, or none to have them found",
  });
}
