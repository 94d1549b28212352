/**
 * The data of PERSISTENT RESERVE commands in words.
 *
 * Pure. Bytes that cannot be understood are said to be so; the describe functions throw nothing.
 *
 * @module
 */
import { ShortBuffer } from "../bytes.ts";
import { decodeCapabilities } from "./capabilities.ts";
import { PR_IN_ACTION, prInActionName } from "./cdb.ts";
import { decodeFullStatus, type FullStatusEntry } from "./full_status.ts";
import { Malformed } from "./malformed.ts";
import { decodePrOut } from "./pr_out.ts";
import { decodeReadKeys } from "./read_keys.ts";
import { decodeReadReservation } from "./read_reservation.ts";
import type { TransportId } from "./transport_id.ts";
import { formatKey, prTypeInfo } from "./types.ts";

/** "type 5 (Write Exclusive, Registrants Only)"; "type 2 (reserved)" for a code that is none of the six. */
export function describeType(type: number): string {
  return `type ${type} (${prTypeInfo(type)?.name ?? "reserved"})`;
}

/** "sas 500062b200c4e6f1". */
export function describeTransportId({ protocol, address }: TransportId): string {
  return `${protocol === "unknown" ? "TransportID" : protocol} ${address}`;
}

/** A PERSISTENT RESERVE OUT parameter list, on one line: "rk=0x... sark=0x... aptpl". */
export function describePrOut(action: number, data: Uint8Array): string {
  return orReason("parameter list", () => {
    const said = decodePrOut(action, data);
    const words = [`rk=${formatKey(said.rk)} sark=${formatKey(said.sark)}`];
    if (said.aptpl) words.push("aptpl");
    if (said.kind === "move") {
      if (said.unreg) words.push("unreg");
      words.push(`to ${describeTransportId(said.transportId)} through target port ${said.relativeTargetPort}`);
    } else {
      if (said.allTgPt) words.push("all_tg_pt");
      if (said.specIPt) words.push(`spec_i_pt [${said.specIPt.map(describeTransportId).join("; ")}]`);
    }
    return words.join(" ");
  });
}

/** PERSISTENT RESERVE IN data: a line for the whole, then a line for each registration. */
export function describePrIn(action: number, data: Uint8Array): string[] {
  const name = prInActionName(action);
  try {
    switch (action) {
      case PR_IN_ACTION.readKeys:
        return describeKeys(data);
      case PR_IN_ACTION.readReservation:
        return [describeReservation(data)];
      case PR_IN_ACTION.reportCapabilities:
        return [describeCapabilities(data)];
      case PR_IN_ACTION.readFullStatus:
        return describeFullStatus(data);
      default:
        return [`${data.length} bytes of ${name}`];
    }
  } catch (error) {
    return [reason(name, error)];
  }
}

function describeKeys(data: Uint8Array): string[] {
  const said = decodeReadKeys(data);
  const count = said.kind === "complete"
    ? plural(said.keys.length, "key")
    : cut(said.keys.length, said.expected, "keys");
  return [`generation ${said.generation}, ${count}`, ...said.keys.map(formatKey)];
}

function describeReservation(data: Uint8Array): string {
  const said = decodeReadReservation(data);
  const head = `generation ${said.generation}`;
  if (said.kind === "truncated") return `${head}, a reservation (cut short: ${said.neededBytes} bytes needed)`;
  if (!said.reservation) return `${head}, no reservation`;
  const { key, type, scope } = said.reservation;
  return `${head}, ${describeType(type)} under ${formatKey(key)}${scope === 0 ? "" : `, scope ${scope}`}`;
}

function describeCapabilities(data: Uint8Array): string {
  const said = decodeCapabilities(data);
  if (said.kind === "truncated") return `capabilities (cut short: ${said.neededBytes} bytes needed)`;
  const c = said.capabilities;
  const flags = [
    c.ptplCapable && "PTPL_C",
    c.ptplActive && "PTPL_A",
    c.allTargetPorts && "ATP_C",
    c.specifyInitiatorPorts && "SIP_C",
    c.compatibleReservationHandling && "CRH",
    c.replaceLost && "RLR_C",
  ].filter((flag) => flag !== false);
  const types = c.typeMaskValid ? `types ${c.types.join(" ") || "none"}` : "no type mask";
  return `${flags.join(" ") || "no optional capability"}, allow commands ${c.allowCommands}, ${types}`;
}

function describeFullStatus(data: Uint8Array): string[] {
  const said = decodeFullStatus(data);
  const got = said.registrations.length;
  const count = plural(got, "registration");
  const rest = said.kind === "complete" ? "" : ` (cut short: at least ${said.neededBytes} bytes needed)`;
  return [`generation ${said.generation}, ${count}${rest}`, ...said.registrations.map(describeEntry)];
}

function describeEntry({ key, held, relativeTargetPort: port, transportId }: FullStatusEntry): string {
  const where = port === "all" ? "every target port" : `target port ${port}`;
  const role = held ? `, holds ${describeType(held.type)}` : "";
  return `${formatKey(key)} ${describeTransportId(transportId)}, ${where}${role}`;
}

function cut(got: number, expected: number, what: string): string {
  return `${got} of ${expected} ${what} (cut short)`;
}

/** "1 key", "2 keys". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What `words` says, or why it cannot be said. */
export function orReason(what: string, words: () => string): string {
  try {
    return words();
  } catch (error) {
    return reason(what, error);
  }
}

/** A decoder's typed error in words; any other error is a defect, and passes on. */
function reason(what: string, error: unknown): string {
  if (error instanceof ShortBuffer || error instanceof Malformed) {
    return `${what} (cannot be decoded: ${error.message})`;
  }
  throw error;
}
