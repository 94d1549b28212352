/**
 * A command as the simulated LUN takes it: decoded once, so that a model check can send it a million times.
 * Pure: decodes bytes that anybody may have sent; never throws for them.
 *
 * @module
 */
import { ShortBuffer } from "../../bytes.ts";
import { decodePrCdb, PR_OUT_ACTION, type PrCdb } from "../cdb.ts";
import { prOutCommand, type PrOutRequest } from "../commands.ts";
import { Malformed } from "../malformed.ts";
import { type BasicParameters, decodePrOut, type MoveParameters, PARAMETER_LIST_BYTES } from "../pr_out.ts";

/** A parameter list that says nothing sound: its length is wrong, contradicts its TransportIDs, or one of these is. */
export interface UnreadableParameters {
  /** Says which kind of parameters these are. */
  readonly kind: "unreadable";
  /** What is wrong with the list. */
  readonly fault: "length" | "idLength" | "transportId";
}

/** PERSISTENT RESERVE OUT, decoded. */
export interface PrOutCommand {
  /** Says which kind of command this is. */
  readonly kind: "prOut";
  /** SERVICE ACTION. */
  readonly action: number;
  /** SCOPE. */
  readonly scope: number;
  /** TYPE. */
  readonly type: number;
  /** The parameter list. */
  readonly parameters: BasicParameters | MoveParameters | UnreadableParameters;
}

/** PERSISTENT RESERVE IN, decoded. */
export interface PrInCommand {
  /** Says which kind of command this is. */
  readonly kind: "prIn";
  /** SERVICE ACTION. */
  readonly action: number;
  /** Bytes of room: the least of ALLOCATION LENGTH and what the transport would take. */
  readonly allocationLength: number;
}

/** Any other command, kept as bytes. */
export interface OrdinaryCommand {
  /** Says which kind of command this is. */
  readonly kind: "ordinary";
  /** Command block. */
  readonly cdb: Uint8Array;
  /** Data-out; empty when there is none. */
  readonly dataOut: Uint8Array;
  /** Bytes of room for data-in. */
  readonly room: number;
}

/** One command for the simulated LUN. */
export type Command = PrOutCommand | PrInCommand | OrdinaryCommand;

const NO_DATA = new Uint8Array(0);

/** Decodes a command: `data` is the data-out, or the room for data-in, as in `Nexus.execute`. */
export function decodeCommand(cdb: Uint8Array, data: Uint8Array | number): Command {
  const dataOut = typeof data === "number" ? NO_DATA : data;
  const room = typeof data === "number" ? data : 0;
  const ordinary = { kind: "ordinary", cdb, dataOut, room } as const;
  const pr = decodeCdb(cdb);
  if (pr === null || pr.kind === "other") return ordinary;
  if (pr.kind === "in") {
    return { kind: "prIn", action: pr.action, allocationLength: Math.min(pr.allocationLength, room) };
  }
  const { action, scope, type, parameterListLength } = pr;
  return { kind: "prOut", action, scope, type, parameters: decodeParameters(action, dataOut, parameterListLength) };
}

/** A PERSISTENT RESERVE OUT request in words, as a command. Errors: `RangeError` for a value that fits no field. */
export function prOutCommandOf(request: PrOutRequest): PrOutCommand {
  const { cdb, data } = prOutCommand(request);
  const command = decodeCommand(cdb, data);
  if (command.kind !== "prOut") throw new RangeError(`${request.action} does not encode to a PERSISTENT RESERVE OUT`);
  return command;
}

function decodeCdb(cdb: Uint8Array): PrCdb | null {
  try {
    return decodePrCdb(cdb);
  } catch (error) {
    if (error instanceof ShortBuffer || error instanceof Malformed) return null;
    throw error;
  }
}

function decodeParameters(action: number, dataOut: Uint8Array, length: number): PrOutCommand["parameters"] {
  if (dataOut.length < length) return { kind: "unreadable", fault: "length" };
  const list = dataOut.subarray(0, length);
  try {
    return decodePrOut(action, list);
  } catch (error) {
    if (!(error instanceof ShortBuffer || error instanceof Malformed)) throw error;
    const lengthAtFault = error instanceof ShortBuffer || error.field === "PARAMETER LIST LENGTH";
    return {
      kind: "unreadable",
      fault: !lengthAtFault ? "transportId" : carriesIds(action, list) ? "idLength" : "length",
    };
  }
}

/** True when the list is long enough to announce TransportIDs, and does. */
function carriesIds(action: number, list: Uint8Array): boolean {
  const flags = list[20];
  if (flags === undefined || list.length < PARAMETER_LIST_BYTES) return false;
  return action === PR_OUT_ACTION.registerAndMove || (flags & 0x08) !== 0;
}
