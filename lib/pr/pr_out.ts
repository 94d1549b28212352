/**
 * Parameter lists of PERSISTENT RESERVE OUT, both ways. What is encoded is read back before it may leave.
 *
 * Pure. Source: SPC-4, "Basic PERSISTENT RESERVE OUT parameter list" and "... for the REGISTER AND MOVE service action".
 *
 *   basic  0 RK u64 | 8 SARK u64 | 20 SPEC_I_PT 08h, ALL_TG_PT 04h, APTPL 01h; 24 bytes
 *          with SPEC_I_PT: 24 length u32 | 28 TransportIDs back to back
 *   move   0 RK u64 | 8 SARK u64 | 17 UNREG 02h, APTPL 01h | 18 target port u16 | 20 length u32 | 24 one TransportID
 *
 * @module
 */
import { BeReader, BeWriter, type Bytes, concat, ReadBackError } from "../bytes.ts";
import { PR_OUT_ACTION } from "./cdb.ts";
import { Malformed } from "./malformed.ts";
import { decodeTransportId, encodeTransportId, sameTransportId, type TransportId } from "./transport_id.ts";

/** Basic parameter list: any service action but REGISTER AND MOVE. */
export interface BasicParameters {
  /** Tells the two parameter lists apart. */
  readonly kind: "basic";
  /** RESERVATION KEY: the key the sender is registered with; 0 when it is not. */
  readonly rk: bigint;
  /** SERVICE ACTION RESERVATION KEY: the new key, the key to preempt; 0 in a REGISTER unregisters. */
  readonly sark: bigint;
  /** Activate persistence through power loss, for the whole LUN. */
  readonly aptpl: boolean;
  /** Register for every target port. */
  readonly allTgPt: boolean;
  /** Initiator ports to register besides the sender; `null` without SPEC_I_PT. */
  readonly specIPt: readonly TransportId[] | null;
}

/** Parameter list of REGISTER AND MOVE. */
export interface MoveParameters {
  /** Tells the two parameter lists apart. */
  readonly kind: "move";
  /** RESERVATION KEY: the key of the sender, who must hold the reservation. */
  readonly rk: bigint;
  /** The key to give the destination nexus. */
  readonly sark: bigint;
  /** Unregister the sender as well. */
  readonly unreg: boolean;
  /** Activate persistence through power loss, for the whole LUN. */
  readonly aptpl: boolean;
  /** Target port of the destination nexus. */
  readonly relativeTargetPort: number;
  /** Initiator port of the destination nexus. */
  readonly transportId: TransportId;
}

/** Any PERSISTENT RESERVE OUT parameter list. */
export type PrOutParameters = BasicParameters | MoveParameters;

/** Size of the basic parameter list, and of what precedes the TransportID of REGISTER AND MOVE. */
export const PARAMETER_LIST_BYTES = 24;
const SPEC_I_PT = 0x08;
const ALL_TG_PT = 0x04;
const APTPL = 0x01;
const UNREG = 0x02;

/**
 * Encodes the basic parameter list: 24 bytes, or 28 + TransportIDs when `specIPt` is given.
 * Errors: `RangeError` for a key outside 0..2^64-1 or an impossible address; `ReadBackError` if it decodes differently.
 */
export function encodePrOut(
  { rk, sark, aptpl = false, allTgPt = false, specIPt = null }: {
    rk: bigint;
    sark: bigint;
    aptpl?: boolean;
    allTgPt?: boolean;
    specIPt?: readonly TransportId[] | null;
  },
): Bytes {
  const flags = (specIPt ? SPEC_I_PT : 0) | (allTgPt ? ALL_TG_PT : 0) | (aptpl ? APTPL : 0);
  const basic = new BeWriter(PARAMETER_LIST_BYTES).u64(0, rk).u64(8, sark).u8(20, flags).bytes;
  const ids = concat(...(specIPt ?? []).map(encodeTransportId));
  const bytes = specIPt ? concat(basic, new BeWriter(4).u32(0, ids.length).bytes, ids) : basic;
  return readBack(PR_OUT_ACTION.register, bytes, { kind: "basic", rk, sark, aptpl, allTgPt, specIPt });
}

/** Encodes the parameter list of REGISTER AND MOVE: 24 bytes + TransportID. Errors as {@link encodePrOut}. */
export function encodeRegisterAndMove(
  { rk, sark, unreg, aptpl, relativeTargetPort, transportId }: Omit<MoveParameters, "kind">,
): Bytes {
  const id = encodeTransportId(transportId);
  const bytes = new BeWriter(PARAMETER_LIST_BYTES + id.length)
    .u64(0, rk).u64(8, sark).u8(17, (unreg ? UNREG : 0) | (aptpl ? APTPL : 0)).u16(18, relativeTargetPort)
    .u32(20, id.length).put(PARAMETER_LIST_BYTES, id).bytes;
  const meant = { kind: "move", rk, sark, unreg, aptpl, relativeTargetPort, transportId } as const;
  return readBack(PR_OUT_ACTION.registerAndMove, bytes, meant);
}

/**
 * Decodes a parameter list, given the service action it came with. The standard fixes every length here, so each of
 * these is an error: `ShortBuffer` (cut short), {@link Malformed} with field `PARAMETER LIST LENGTH` (not the 24 bytes,
 * or not the bytes its own length field announces) or a field of the TransportID (its size contradicts itself).
 */
export function decodePrOut(action: number, bytes: Uint8Array): PrOutParameters {
  const reader = new BeReader(bytes);
  const rk = reader.u64(0, "RESERVATION KEY");
  const sark = reader.u64(8, "SERVICE ACTION RESERVATION KEY");
  return action === PR_OUT_ACTION.registerAndMove
    ? decodeMove(reader, rk, sark)
    : decodeBasic(reader, action, rk, sark);
}

function decodeBasic(reader: BeReader, action: number, rk: bigint, sark: bigint): BasicParameters {
  const flags = reader.u8(20, "SPEC_I_PT, ALL_TG_PT, APTPL");
  reader.u8(PARAMETER_LIST_BYTES - 1, "the basic parameter list");
  const basic = { kind: "basic", rk, sark, aptpl: (flags & APTPL) !== 0, allTgPt: (flags & ALL_TG_PT) !== 0 } as const;
  const named = (flags & SPEC_I_PT) !== 0;
  // Elsewhere than in REGISTER the bit is invalid by itself; the target should hear of that, not of a missing list.
  const bare = named && action !== PR_OUT_ACTION.register && reader.length === PARAMETER_LIST_BYTES;
  if (named && !bare) return { ...basic, specIPt: decodeList(reader) };
  demandLength(reader, PARAMETER_LIST_BYTES);
  return { ...basic, specIPt: bare ? [] : null };
}

function decodeList(reader: BeReader): TransportId[] {
  const start = PARAMETER_LIST_BYTES + 4;
  demandLength(reader, start + reader.u32(PARAMETER_LIST_BYTES, "TRANSPORTID PARAMETER DATA LENGTH"));
  const ids: TransportId[] = [];
  for (let at = start; at < reader.length;) {
    const { id, length } = decodeTransportId(reader.bytes.subarray(at));
    ids.push(id);
    at += length;
  }
  return ids;
}

function decodeMove(reader: BeReader, rk: bigint, sark: bigint): MoveParameters {
  const flags = reader.u8(17, "UNREG, APTPL");
  const size = reader.u32(20, "TRANSPORTID LENGTH");
  demandLength(reader, PARAMETER_LIST_BYTES + size);
  const { id, length } = decodeTransportId(reader.bytes.subarray(PARAMETER_LIST_BYTES));
  if (length !== size) throw new Malformed("TRANSPORTID LENGTH", `${size}, but the TransportID takes ${length} bytes`);
  return {
    kind: "move",
    rk,
    sark,
    unreg: (flags & UNREG) !== 0,
    aptpl: (flags & APTPL) !== 0,
    relativeTargetPort: reader.u16(18, "RELATIVE TARGET PORT IDENTIFIER"),
    transportId: id,
  };
}

function demandLength(reader: BeReader, wanted: number): void {
  if (reader.length === wanted) return;
  throw new Malformed("PARAMETER LIST LENGTH", `${reader.length} bytes where ${wanted} are wanted`);
}

/** Hands the bytes out only if they say what was meant. */
function readBack(action: number, bytes: Bytes, meant: PrOutParameters): Bytes {
  const said = decodePrOut(action, bytes);
  if (!sameParameters(said, meant)) {
    throw new ReadBackError("the PERSISTENT RESERVE OUT parameter list reads differently");
  }
  return bytes;
}

function sameParameters(a: PrOutParameters, b: PrOutParameters): boolean {
  if (a.rk !== b.rk || a.sark !== b.sark || a.aptpl !== b.aptpl) return false;
  if (a.kind === "move" && b.kind === "move") {
    return a.unreg === b.unreg && a.relativeTargetPort === b.relativeTargetPort &&
      sameTransportId(a.transportId, b.transportId);
  }
  if (a.kind !== "basic" || b.kind !== "basic") return false;
  const [these, those] = [a.specIPt, b.specIPt];
  if (a.allTgPt !== b.allTgPt || (these === null) !== (those === null)) return false;
  return these?.length === those?.length && (these ?? []).every((id, i) => sameTransportId(id, those![i]!));
}
