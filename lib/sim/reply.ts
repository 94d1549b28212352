/**
 * From a Nexus' bytes to the simulated machine's words and back: what the LUN in memory and the one in a file share.
 * Pure.
 *
 * @module
 */
import type { Reply } from "../pr/nexus.ts";
import { apply } from "../pr/sim/apply.ts";
import { decodeCommand } from "../pr/sim/command.ts";
import type { LunModel } from "../pr/sim/model.ts";
import type { NexusId } from "../pr/sim/nexus_id.ts";
import { encodeSense } from "../scsi/sense.ts";

/** Executes one command given as bytes: the LUN afterwards, and the reply with fixed-format sense. */
export function execute(
  model: LunModel,
  nexus: NexusId,
  cdb: Uint8Array,
  data: Uint8Array | number,
): { readonly model: LunModel; readonly reply: Reply } {
  const { model: after, status, sense, dataIn } = apply(model, nexus, decodeCommand(cdb, data));
  return { model: after, reply: { status, sense: sense === null ? new Uint8Array() : encodeSense(...sense), dataIn } };
}
