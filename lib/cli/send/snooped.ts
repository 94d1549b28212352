/**
 * What `prmig snoop` knows of the LUNs that are to be sent: the guest's key, if it is still so on the LUN; else a refusal.
 *
 * A guest's registration that changed behind its back was changed by somebody: it was fenced, or cleared. Moving what is
 * left would bring a fenced guest back, or take away what is not the guest's.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { Lun } from "../../migrate/lun.ts";
import { isOwn } from "../../pr/own.ts";
import { readState } from "../../pr/read_state.ts";
import { formatKey } from "../../pr/types.ts";
import { resolveAddress } from "../../sg/discover.ts";
import { differenceOf } from "../../snoop/agreement.ts";
import { CorruptState, readSnooped, type SnoopedNexus } from "../../snoop/state.ts";
import type { CommandContext } from "../context.ts";
import { runDirectory } from "../run_directory.ts";

/**
 * The key of the guest behind the LUNs; `undefined` where nothing was snooped, or several keys were. Reads a LUN that was
 * snooped (two commands), and no other. Rejects with PrmigError `refused` when the LUN says something else.
 */
export async function snoopedKey(luns: readonly Lun[], context: CommandContext): Promise<bigint | undefined> {
  const keys = new Set<bigint>();
  for (const lun of luns) {
    const nexus = snooped(lun, context);
    if (nexus === null || nexus.key === null) continue;
    await insist(lun, nexus, nexus.key);
    if (nexus.key !== 0n) keys.add(nexus.key);
  }
  return keys.size === 1 ? [...keys][0] : undefined;
}

function snooped({ device, designator }: Lun, { env, err }: CommandContext): SnoopedNexus | null {
  if (device.startsWith("sim:")) return null;
  const { paths, multipath } = resolveAddress(device);
  const nodes = [device, ...paths.flatMap(({ block, sg }) => [block, sg]), multipath && `/dev/mapper/${multipath}`];
  const hctl = paths.length === 1 ? paths[0]!.hctl : null;
  try {
    const query = { designators: [designator], hctl, nodes: nodes.filter((node) => node !== null) };
    return readSnooped(runDirectory(env), query)?.nexus ?? null;
  } catch (error) {
    if (!(error instanceof CorruptState)) throw error;
    err.line(`note: what was snooped of ${device} is not used: ${error.message}`);
    return null;
  }
}

async function insist({ device, paths }: Lun, { type, since }: SnoopedNexus, key: bigint): Promise<void> {
  const { nexus, relativeTargetPort } = paths[0]!;
  const state = await readState(nexus);
  const registrations = state.registrations.map((each) => ({
    key: each.key,
    self: isOwn(each, nexus.initiator, relativeTargetPort),
    holder: each.holder,
  }));
  const difference = differenceOf({ registrations, type: state.reservation?.type ?? 0 }, key, type);
  if (difference === null) return;
  throw new PrmigError("refused", {
    message: `What was snooped of ${device} since ${since} is stale: ${difference}`,
    device,
    lun: `as the LUN itself says; the guest's key was ${formatKey(key)}`,
    remedy: `find out who changed it: prmig dump ${device}; what to send in spite of it, tell with --key`,
  });
}
