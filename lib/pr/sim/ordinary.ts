/**
 * The commands of a simulated LUN that neither reserve nor touch the medium: what hosts ask of every disk. Pure.
 * Sources: SPC-4, SBC-3.
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes, ShortBuffer } from "../../bytes.ts";
import { encodeSense } from "../../scsi/sense.ts";
import { takeAttention } from "./attention.ts";
import type { OrdinaryCommand } from "./command.ts";
import { inquiry } from "./inquiry.ts";
import { mediumCommand } from "./medium.ts";
import { BLOCK_BYTES, type LunModel } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";
import { check, good, type Outcome } from "./outcome.ts";
import { reportSupported } from "./supported.ts";
import { SENSE } from "./sense_code.ts";

type Handler = (model: LunModel, nexus: NexusId, command: OrdinaryCommand, cdb: BeReader) => Outcome;

const HANDLERS: Readonly<Record<number, Handler>> = {
  0x00: done, // TEST UNIT READY
  0x03: requestSense,
  0x12: (model, nexus, { room }, cdb) => {
    const page = (cdb.u8(1, "EVPD") & 0x01) === 0 ? null : cdb.u8(2, "PAGE CODE");
    return answer(model, inquiry(model.device, nexus, page), Math.min(room, cdb.u16(3, "ALLOCATION LENGTH")));
  },
  0x15: done, // MODE SELECT(6): every page is taken and none is kept
  0x55: done, // MODE SELECT(10)
  0x1a: (model, _nexus, { room }, cdb) =>
    answer(model, modeSense(cdb, 4), Math.min(room, cdb.u8(4, "ALLOCATION LENGTH"))),
  0x5a: (model, _nexus, { room }, cdb) =>
    answer(model, modeSense(cdb, 8), Math.min(room, cdb.u16(7, "ALLOCATION LENGTH"))),
  0x1b: startStop,
  0x1e: done, // PREVENT ALLOW MEDIUM REMOVAL
  0x25: (model, _nexus, { room }) => answer(model, capacity10(model.device.blocks), room),
  0x4d: (model, _nexus, { room }, cdb) => answer(model, logSense(cdb), Math.min(room, cdb.u16(7, "ALLOCATION LENGTH"))),
  0x9e: (model, _nexus, { room }, cdb) =>
    answer(model, serviceActionIn(model, cdb), Math.min(room, cdb.u32(10, "ALLOCATION LENGTH"))),
  0xa0: (model, _nexus, { room }, cdb) => answer(model, LUN_LIST, Math.min(room, cdb.u32(6, "ALLOCATION LENGTH"))),
  0xa3: (model, _nexus, { room }, cdb) =>
    answer(model, reportSupported(model.device.profile, cdb), Math.min(room, cdb.u32(6, "ALLOCATION LENGTH"))),
};

/** Executes a command; attentions and reservations were seen to before. An unknown one ends in 05/20/00. */
export function ordinary(model: LunModel, nexus: NexusId, command: OrdinaryCommand): Outcome {
  const onMedium = mediumCommand(model, command);
  if (onMedium !== null) return onMedium;
  const handler = HANDLERS[command.cdb[0] ?? -1];
  if (handler === undefined) return check(model, SENSE.invalidOpcode);
  try {
    return handler(model, nexus, command, new BeReader(command.cdb));
  } catch (error) {
    if (error instanceof ShortBuffer) return check(model, SENSE.invalidFieldInCdb);
    throw error;
  }
}

/** GOOD with the data cut to the room there is; `null` data: the CDB asks for what is not there. */
function answer(model: LunModel, data: Bytes | null, room: number): Outcome {
  return data === null ? check(model, SENSE.invalidFieldInCdb) : good(model, data.slice(0, room));
}

function done(model: LunModel): Outcome {
  return good(model);
}

/** START STOP UNIT: nothing spins here; a target may refuse to be stopped all the same. */
function startStop(model: LunModel, _nexus: NexusId, _command: OrdinaryCommand, cdb: BeReader): Outcome {
  const plainStart = cdb.u8(4, "START") === 0x01;
  return model.device.profile.startsOnly && !plainStart ? check(model, SENSE.invalidFieldInCdb) : good(model);
}

/** REQUEST SENSE: hands out a waiting unit attention as data, and clears it. */
function requestSense(model: LunModel, nexus: NexusId, { room }: OrdinaryCommand, cdb: BeReader): Outcome {
  const taken = takeAttention(model, nexus);
  const format = (cdb.u8(1, "DESC") & 0x01) === 0 ? "fixed" : "descriptor";
  const code = taken?.attention ?? 0;
  const sense = encodeSense(taken === null ? 0 : 6, code >> 8, code & 0xff, format);
  return answer(taken?.model ?? model, sense, Math.min(room, cdb.u8(4, "ALLOCATION LENGTH")));
}

/** READ CAPACITY(10) data. */
function capacity10(blocks: number): Bytes {
  return new BeWriter(8).u32(0, blocks - 1).u32(4, BLOCK_BYTES).bytes;
}

/** READ CAPACITY(16) data; the only SERVICE ACTION IN(16) there is. */
function serviceActionIn(model: LunModel, cdb: BeReader): Bytes | null {
  if ((cdb.u8(1, "SERVICE ACTION") & 0x1f) !== 0x10) return null;
  return new BeWriter(32).u64(0, BigInt(model.device.blocks - 1)).u32(8, BLOCK_BYTES).bytes;
}

const CONTROL_PAGE = 0x0a;
const ALL_PAGES = 0x3f;
const CONTROL_PAGE_BYTES = 12;

/** Mode parameter header without block descriptors, and the Control mode page with everything at its default. */
function modeSense(cdb: BeReader, headerBytes: 4 | 8): Bytes | null {
  const page = cdb.u8(2, "PAGE CODE") & 0x3f;
  if (page !== CONTROL_PAGE && page !== ALL_PAGES) return null;
  const out = new BeWriter(headerBytes + CONTROL_PAGE_BYTES);
  const total = out.bytes.length;
  if (headerBytes === 4) out.u8(0, total - 1);
  else out.u16(0, total - 2);
  return out.u8(headerBytes, CONTROL_PAGE).u8(headerBytes + 1, CONTROL_PAGE_BYTES - 2).bytes;
}

/** Supported log pages: page 00h alone. */
function logSense(cdb: BeReader): Bytes | null {
  return (cdb.u8(2, "PAGE CODE") & 0x3f) === 0 ? new BeWriter(5).u16(2, 1).bytes : null;
}

/** REPORT LUNS data: LUN 0. */
const LUN_LIST: Bytes = new BeWriter(16).u32(0, 8).bytes;
