/**
 * A LUN as one side of a hand-over has it: one or more paths, and the few things both sides do to it.
 *
 * @module
 */
import type { Nexus } from "../pr/nexus.ts";
import type { PrState, Registration } from "../pr/types.ts";
import { PrmigError } from "../errors.ts";
import { isOwn } from "../pr/own.ts";
import { readRegistrations } from "../pr/read_state.ts";
import { nameOf, type NexusName } from "./offer.ts";

/** One path: a nexus and where it ends. */
export interface Path {
  readonly nexus: Nexus;
  /** Relative target port of the path's far end, where the target tells. */
  readonly relativeTargetPort: number | null;
}

/** A LUN and the paths this host has to it; the first path is the one that decides races. */
export interface Lun {
  /** Address as the user gave it. */
  readonly device: string;
  /** Designator of the logical unit. */
  readonly designator: string;
  readonly paths: readonly Path[];
}

/** Reads registrations and reservation in one snapshot, on the first path that answers. */
export async function observe(lun: Lun): Promise<PrState> {
  let failure: unknown;
  for (const path of lun.paths) {
    try {
      return await readRegistrations(path.nexus);
    } catch (error) {
      if (!(error instanceof PrmigError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** This path's registration: found, absent, or `unknown` when neither host nor target tells who is who. */
export function ownRegistration(path: Path, state: PrState): Registration | "absent" | "unknown" {
  const verdicts = state.registrations.map((r) => isOwn(r, path.nexus.initiator, path.relativeTargetPort));
  const mine = verdicts.flatMap((own, i) => own === true ? [state.registrations[i]!] : []);
  if (mine.length === 1) return mine[0]!;
  if (mine.length > 1) return "unknown";
  return verdicts.every((own) => own === false) ? "absent" : "unknown";
}

/** The name the LUN will know this path by, where host and target tell beforehand; otherwise `null`. */
export function pathName({ nexus: { initiator }, relativeTargetPort }: Path): NexusName | null {
  if (initiator?.match !== "exact" || relativeTargetPort === null) return null;
  return nameOf(initiator.transportId, relativeTargetPort);
}
