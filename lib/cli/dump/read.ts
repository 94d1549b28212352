/**
 * Reads everything `dump` shows of one device, over the first path that answers: at most 8 commands, none that writes.
 *
 *     INQUIRY and its pages 00h, 80h, 83h | READ FULL STATUS, READ RESERVATION | REPORT CAPABILITIES
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { isOwn } from "../../pr/own.ts";
import { readIdentity } from "../../pr/read_identity.ts";
import { readCapabilities, readState } from "../../pr/read_state.ts";
import type { Registration } from "../../pr/types.ts";
import type { OpenDevice } from "../open.ts";
import { type DumpRecord, type Reading, toRecord } from "./record.ts";

/** Reads a device. Errors: those of the last path, when none answers. */
export async function readDump(device: OpenDevice): Promise<DumpRecord> {
  const { address, paths } = device;
  const nodes = nodesOf(device);
  const { nexus, facts } = await firstAnswer(paths);
  const others = await Promise.all(paths.filter((path) => path !== nexus).map(ownership));
  const all = [ownershipBy(nexus, facts.lun.relativeTargetPort), ...others];
  return toRecord({
    device: address,
    nodes,
    ...facts,
    isOwn: (registration) => anyOf(all.map((of) => of(registration))),
  });
}

/** Names of a device and of its paths, for a record. */
export function nodesOf({ node, multipath, paths, unusable }: OpenDevice): Reading["nodes"] {
  return {
    sg: node?.sg ?? null,
    block: node?.block ?? null,
    hctl: node?.hctl ?? null,
    multipath,
    paths: paths.map((nexus) => nexus.address),
    unusablePaths: unusable.map(({ facts }) => ({ path: facts.device ?? "", reason: facts.message })),
  };
}

type Facts = Pick<Reading, "lun" | "state" | "capabilities">;

async function firstAnswer(paths: readonly Nexus[]): Promise<{ nexus: Nexus; facts: Facts }> {
  let failure: unknown;
  for (const nexus of paths) {
    try {
      const lun = await readIdentity(nexus);
      return { nexus, facts: { lun, state: await readState(nexus), capabilities: await readCapabilities(nexus) } };
    } catch (error) {
      if (!(error instanceof PrmigError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

type Ownership = (registration: Registration) => boolean | null;

/** A path that does not say which target port it leads to leaves open which registration is its own. */
async function ownership(nexus: Nexus): Promise<Ownership> {
  try {
    return ownershipBy(nexus, (await readIdentity(nexus)).relativeTargetPort);
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    return ownershipBy(nexus, null);
  }
}

function ownershipBy(nexus: Nexus, port: number | null): Ownership {
  return (registration) => isOwn(registration, nexus.initiator, port);
}

/** Ours through any path: ours. Certainly not ours only when no path can say otherwise. */
function anyOf(verdicts: readonly (boolean | null)[]): boolean | null {
  if (verdicts.includes(true)) return true;
  return verdicts.includes(null) ? null : false;
}
