/**
 * What `--as` can name, and what bare bytes may be: every kind of bytes `explain` knows, most telling first. Pure.
 *
 * Bytes do not say what they are. Each kind has a test that their own lengths and fixed zeros pass only by chance when
 * they are something else; the first that passes is shown, the others are named beside it.
 *
 * @module
 */
import { BeReader, equalBytes, ShortBuffer } from "../../bytes.ts";
import { PR_IN, PR_IN_ACTION, PR_OUT, PR_OUT_ACTION } from "../../pr/cdb.ts";
import { CAPABILITIES_BYTES } from "../../pr/capabilities.ts";
import { decodeFullStatus } from "../../pr/full_status.ts";
import { Malformed } from "../../pr/malformed.ts";
import { PARAMETER_LIST_BYTES } from "../../pr/pr_out.ts";
import { decodeTransportId, encodeTransportId } from "../../pr/transport_id.ts";
import { isPrType } from "../../pr/types.ts";
import { opcodeName } from "../../scsi/opcodes.ts";
import { explainCommand, PR_CDB_BYTES } from "./command.ts";
import { explainKey, explainParameters, explainPrIn, explainTransportId } from "./data.ts";
import type { Explanation } from "./explanation.ts";
import { explainSense, explainStatus } from "./status.ts";

/** One kind of bytes. */
export interface Kind {
  /** As `--as` names it. */
  readonly name: string;
  /** Completes "these bytes may be ...". */
  readonly what: string;
  /** Whether bytes look like it: their lengths and zeros agree. May throw `ShortBuffer` or `Malformed`: they do not. */
  readonly fits: (bytes: Uint8Array) => boolean;
  /** Explains bytes that are said to be it; null when they cannot be. Errors: `ShortBuffer`, `Malformed`. */
  readonly explain: (bytes: Uint8Array) => Explanation | null;
}

/** All kinds, the likeliest first. */
export const KINDS: readonly Kind[] = [
  {
    name: "cdb",
    what: "a command block (and its data)",
    fits: (b) => b.length >= PR_CDB_BYTES && (b[0] === PR_IN || b[0] === PR_OUT) && (b[1]! & 0xe0) === 0,
    explain: (b) => isPr(b) ? explainPrCommand(b) : explainCommand(b, null),
  },
  {
    name: "sense",
    what: "sense data",
    fits: (b) => b.length >= 8 && b.length <= 252 && b[0]! >= 0x70 && b[0]! <= 0x73,
    explain: explainSense,
  },
  {
    name: "capabilities",
    what: "REPORT CAPABILITIES data",
    fits: (b) =>
      b.length === CAPABILITIES_BYTES && b[0] === 0 && b[1] === CAPABILITIES_BYTES && b[6] === 0 && b[7] === 0,
    explain: (b) => explainPrIn(PR_IN_ACTION.reportCapabilities, b),
  },
  {
    name: "full-status",
    what: "READ FULL STATUS data",
    fits: (b) => lengthFits(b) && b.length >= 32 + 24 && fullStatusFits(b),
    explain: (b) => explainPrIn(PR_IN_ACTION.readFullStatus, b),
  },
  {
    name: "reservation",
    what: "READ RESERVATION data",
    fits: (b) => lengthFits(b) && (b.length === 8 || (b.length === 24 && reservationFits(b))),
    explain: (b) => explainPrIn(PR_IN_ACTION.readReservation, b),
  },
  {
    name: "keys",
    what: "READ KEYS data",
    fits: (b) => lengthFits(b) && b.length % 8 === 0,
    explain: (b) => explainPrIn(PR_IN_ACTION.readKeys, b),
  },
  {
    name: "transport-id",
    what: "a TransportID",
    fits: transportIdFits,
    explain: explainTransportId,
  },
  {
    name: "parameters",
    what: "a PERSISTENT RESERVE OUT parameter list",
    fits: (b) => b.length >= PARAMETER_LIST_BYTES && zeros(b, 16, 20) && (b[20]! & ~0x0d) === 0 && zeros(b, 21, 24),
    explain: (b) => explainParameters(PR_OUT_ACTION.register, b),
  },
  {
    name: "move-parameters",
    what: "the parameter list of REGISTER AND MOVE",
    fits: (b) =>
      b.length > PARAMETER_LIST_BYTES && b[16] === 0 && (b[17]! & ~0x03) === 0 &&
      u32(b, 20) === b.length - PARAMETER_LIST_BYTES,
    explain: (b) => explainParameters(PR_OUT_ACTION.registerAndMove, b),
  },
  {
    name: "key",
    what: "a reservation key",
    fits: (b) => b.length === 8 && !lengthFits(b) && u32(b, 0) >> 16 !== CAPABILITIES_BYTES,
    explain: (b) => b.length === 8 ? explainKey(new BeReader(b).u64(0, "RESERVATION KEY")) : null,
  },
  {
    name: "status",
    what: "a status byte",
    fits: (b) => b.length === 1,
    explain: (b) => b.length === 1 ? explainStatus(b[0]!) : null,
  },
  {
    name: "other-cdb",
    what: "the command block of another command",
    fits: (b) => b.length > 0 && !isPr(b) && b.length === cdbLength(b[0]!) && !opcodeName(b[0]!).startsWith("command "),
    explain: (b) => b.length === 0 ? null : explainCommand(b, null),
  },
];

/** The kinds bytes look like, the likeliest first. */
export function kindsOf(bytes: Uint8Array): Kind[] {
  return KINDS.filter(({ fits }) => {
    try {
      return fits(bytes);
    } catch (error) {
      if (error instanceof ShortBuffer || error instanceof Malformed) return false;
      throw error;
    }
  });
}

function isPr(bytes: Uint8Array): boolean {
  return bytes[0] === PR_IN || bytes[0] === PR_OUT;
}

/** Ten bytes, or sixteen of QEMU's pr-helper protocol; whatever follows is the command's data. */
function explainPrCommand(bytes: Uint8Array): Explanation {
  const padded = bytes.length === 16 && zeros(bytes, PR_CDB_BYTES, 16);
  const end = padded ? 16 : PR_CDB_BYTES;
  const data = bytes.length > end ? bytes.subarray(end) : null;
  return explainCommand(bytes.subarray(0, end), data);
}

/** ADDITIONAL LENGTH counts exactly what follows it. */
function lengthFits(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && u32(bytes, 4) === bytes.length - 8;
}

function fullStatusFits(bytes: Uint8Array): boolean {
  const said = decodeFullStatus(bytes);
  return said.kind === "complete" && said.registrations.length > 0 &&
    said.registrations.every((r) => r.transportId.protocol !== "unknown" || r.transportId.address.length >= 8);
}

function reservationFits(bytes: Uint8Array): boolean {
  return zeros(bytes, 16, 21) && (bytes[21]! & 0xf0) === 0 && isPrType(bytes[21]!) && zeros(bytes, 22, 24);
}

/** A port that is written exactly so: everything reserved is zero. iSCSI names may be padded as anybody likes. */
function transportIdFits(bytes: Uint8Array): boolean {
  const { id, length } = decodeTransportId(bytes);
  if (length !== bytes.length || id.protocol === "unknown" || zeros(bytes, 1, 24)) return false;
  return id.protocol === "iscsi" || equalBytes(encodeTransportId(id), bytes);
}

/** Bytes of a command block, by the group of its operation code; 0 where the group does not fix it. */
function cdbLength(opcode: number): number {
  return [6, 10, 10, 0, 16, 12, 0, 0][opcode >> 5]!;
}

function zeros(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes.length >= to && bytes.subarray(from, to).every((byte) => byte === 0);
}

function u32(bytes: Uint8Array, at: number): number {
  return new BeReader(bytes).u32(at, "length");
}
