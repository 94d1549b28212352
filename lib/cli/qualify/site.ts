/**
 * One nexus of a qualification, wherever it is: opened, looked at, ready to be told commands.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { patient } from "../../pr/patient.ts";
import { readIdentity } from "../../pr/read_identity.ts";
import type { LunIdentity } from "../../scsi/identity.ts";
import type { CommandContext } from "../context.ts";
import { spawnOther } from "../hand_over/child.ts";
import { type OpenDevice, openDevice, traceOf } from "../open.ts";
import { traced } from "../../pr/describe.ts";
import { parsePlace, relayCommand } from "./place.ts";
import { openRemote } from "./remote.ts";
import { type Use, useOf } from "./use.ts";

/** One nexus, and what is known of the LUN through it. */
export interface Site {
  /** As it was named on the command line. */
  readonly address: string;
  /** Hands on every unit attention: the scenarios are about them. */
  readonly nexus: Nexus;
  /** SCSI address on this host; `null` where there is none, or it is another host's. */
  readonly hctl: string | null;
  readonly identity: LunIdentity;
  /** What its host does with the LUN. */
  readonly use: Use;
  close(): Promise<void>;
}

/** How sites are reached. */
export interface SiteChoices {
  /** Words that start ssh. */
  readonly ssh: string;
  /** Milliseconds for a far end to answer at all. */
  readonly timeoutMs: number;
}

/** Opens a place by its word. Sends nothing that changes the LUN. Rejects with PrmigError. */
export async function openSite(word: string, choices: SiteChoices, context: CommandContext): Promise<Site> {
  const place = parsePlace(word);
  if (place.kind === "here") return await openHere(word, context);
  const duplex = spawnOther(relayCommand(choices.ssh, place));
  try {
    const remote = await openRemote(word, duplex, choices.timeoutMs);
    const trace = traceOf(context);
    const nexus = trace === null ? remote : traced(remote, trace);
    const identity = await readIdentity(patient(nexus));
    const close = async (): Promise<void> => {
      remote.close();
      await remote.ended;
    };
    return { address: word, nexus, hctl: null, identity, use: remote.use, close };
  } catch (error) {
    await duplex.close();
    throw error;
  }
}

async function openHere(word: string, context: CommandContext): Promise<Site> {
  const device = await openDevice(word, { writable: true, patient: false, trace: traceOf(context) });
  try {
    const nexus = onePath(device);
    const identity = await readIdentity(patient(nexus));
    const hctl = device.node?.hctl ?? null;
    const close = (): Promise<void> => Promise.resolve(device.close());
    return { address: word, nexus, hctl, identity, use: useOf(hctl), close };
  } catch (error) {
    device.close();
    throw error;
  }
}

/** The path of a device that has one. Throws PrmigError `usage` for a map of several: each is a nexus of its own. */
export function onePath({ address, paths }: OpenDevice): Nexus {
  const [only, ...others] = paths;
  if (only !== undefined && others.length === 0) return only;
  throw new PrmigError("usage", {
    message: `${address} has ${paths.length} paths, and each is a nexus of its own`,
    lun: "not touched",
    remedy: `name one of them: ${paths.map((path) => path.address).join(", ")}`,
  });
}
