/**
 * Asks the device what the tracker cannot know, through the descriptor the client has sent, on the client's own nexus.
 *
 * One command, READ FULL STATUS, where the device has it. It runs on the guest's nexus, so it may be the one to which the LUN
 * reports a unit attention that was the guest's to see: those are handed back, for the guest's next command.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { decodeFullStatus } from "../pr/full_status.ts";
import type { Nexus } from "../pr/nexus.ts";
import { patient } from "../pr/patient.ts";
import { PR_IN, PR_IN_ACTION } from "../pr/cdb.ts";
import { readRegistrations } from "../pr/read_state.ts";
import { type PrState, prTypeInfo } from "../pr/types.ts";
import { classify } from "../scsi/outcome.ts";
import type { DeviceIo } from "./runner.ts";

/** How long asking may go on while the device reports attentions or is busy. */
const PATIENCE_MS = 5000;

/** What to call while asking. */
export interface AskHooks {
  /** A unit attention that is the guest's to see. */
  readonly attention: (sense: Bytes) => void;
  /** A command has been sent. */
  readonly sent: () => void;
}

/**
 * Reads registrations and reservation. Rejects with PrmigError when the device does not tell, and with SysError when
 * the kernel refuses the command; attentions met until then have been handed back all the same.
 */
export function askDevice(
  io: DeviceIo,
  descriptor: number,
  device: string,
  timeoutMs: number,
  { attention, sent }: AskHooks,
): Promise<PrState> {
  const nexus: Nexus = {
    address: device,
    initiator: null,
    execute: async (cdb, data) => {
      sent();
      const reply = await io(descriptor, cdb, data, timeoutMs);
      if (classify(reply).kind === "unitAttention") attention(reply.sense);
      return reply;
    },
    close: () => {},
  };
  return readRegistrations(patient(nexus, { deadlineMs: PATIENCE_MS }));
}

/** What a client's own READ FULL STATUS shows, for nothing; `null` for any other command, or an answer that was cut. */
export function overheard(cdb: Uint8Array, data: Uint8Array): PrState | null {
  if (cdb[0] !== PR_IN || (cdb[1]! & 0x1f) !== PR_IN_ACTION.readFullStatus || data.length < 8) return null;
  const said = decodeFullStatus(data);
  // LIO leaves out what does not fit and does not say so: only an answer with room to spare is the whole truth.
  const allocation = (cdb[7]! << 8) | cdb[8]!;
  if (said.kind !== "complete" || allocation - data.length < 300) return null;
  const holder = said.registrations.find(({ held }) => held !== null);
  const reservation = holder?.held
    ? { ...holder.held, key: prTypeInfo(holder.held.type)?.allRegistrants ? 0n : holder.key }
    : null;
  return { generation: said.generation, registrations: said.registrations, reservation };
}
