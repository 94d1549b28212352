/**
 * Explains the data of PERSISTENT RESERVE commands, and TransportIDs and keys by themselves. Pure.
 *
 * @module
 */
import { toHex } from "../../bytes.ts";
import { decodeCapabilities } from "../../pr/capabilities.ts";
import { PR_IN_ACTION, prInActionName } from "../../pr/cdb.ts";
import { describePrIn, describePrOut, describeTransportId } from "../../pr/describe.ts";
import { decodeFullStatus } from "../../pr/full_status.ts";
import { decodePrOut, type PrOutParameters } from "../../pr/pr_out.ts";
import { decodeReadKeys } from "../../pr/read_keys.ts";
import { decodeReadReservation } from "../../pr/read_reservation.ts";
import { decodeTransportId } from "../../pr/transport_id.ts";
import { formatKey, prTypeInfo } from "../../pr/types.ts";
import type { Explanation } from "./explanation.ts";
import { keyNotes } from "./meaning.ts";

type Row = readonly [label: string, value: string];

/** Explains PERSISTENT RESERVE IN data. Errors: `ShortBuffer`, `Malformed`. */
export function explainPrIn(action: number, data: Uint8Array): Explanation {
  const name = prInActionName(action);
  const [head, ...lines] = describePrIn(action, data);
  const { facts, keys } = prInFacts(action, data);
  return {
    title: `${name} data: ${head}`,
    rows: lines.map((line, i) => [`${i + 1}`, line] as const),
    notes: keyNotes(...keys),
    facts,
  };
}

function prInFacts(action: number, data: Uint8Array): { facts: Explanation["facts"]; keys: readonly bigint[] } {
  switch (action) {
    case PR_IN_ACTION.readKeys: {
      const { kind, generation, keys } = decodeReadKeys(data);
      const facts = { kind: "keys", complete: kind === "complete", generation, keys: keys.map(formatKey) };
      return { facts, keys };
    }
    case PR_IN_ACTION.readReservation: {
      const said = decodeReadReservation(data);
      const held = said.kind === "complete" ? said.reservation : null;
      const reservation = held &&
        { key: formatKey(held.key), type: held.type, typeName: prTypeInfo(held.type)?.name ?? null, scope: held.scope };
      const { generation } = said;
      const facts = { kind: "reservation", complete: said.kind === "complete", generation, reservation };
      return { facts, keys: held ? [held.key] : [] };
    }
    case PR_IN_ACTION.reportCapabilities: {
      const said = decodeCapabilities(data);
      const capabilities = said.kind === "complete" ? said.capabilities : null;
      return { facts: { kind: "capabilities", complete: said.kind === "complete", capabilities }, keys: [] };
    }
    case PR_IN_ACTION.readFullStatus: {
      const said = decodeFullStatus(data);
      const registrations = said.registrations.map((r) => ({
        key: formatKey(r.key),
        holder: r.holder,
        type: r.held?.type ?? null,
        relativeTargetPort: r.relativeTargetPort,
        transportId: r.transportId,
      }));
      const { generation } = said;
      const facts = { kind: "fullStatus", complete: said.kind === "complete", generation, registrations };
      return { facts, keys: said.registrations.map(({ key }) => key) };
    }
    default:
      return { facts: { kind: "data", serviceAction: prInActionName(action), bytes: toHex(data) }, keys: [] };
  }
}

/** Explains a parameter list of which only the bytes are known. Errors: `ShortBuffer`, `Malformed`. */
export function explainParameters(action: number, data: Uint8Array): Explanation {
  const parameters = decodePrOut(action, data);
  return {
    title: `PERSISTENT RESERVE OUT parameter list: ${describePrOut(action, data)}`,
    rows: parameterRows(parameters),
    notes: [
      "What it does depends on the service action in the CDB: put the CDB before it to see.",
      ...keyNotes(parameters.rk, parameters.sark),
    ],
    facts: parameterFacts(parameters),
  };
}

/** A parameter list as rows. */
export function parameterRows(parameters: PrOutParameters): Row[] {
  const { rk, sark, aptpl } = parameters;
  const keys: Row[] = [
    ["RESERVATION KEY", formatKey(rk)],
    ["SERVICE ACTION RES. KEY", formatKey(sark)],
    ["APTPL", aptpl ? "1, registrations survive a loss of power" : "0, registrations are lost with power"],
  ];
  if (parameters.kind === "move") {
    return [
      ...keys,
      ["UNREG", parameters.unreg ? "1, the sender is unregistered" : "0, the sender stays registered"],
      ["RELATIVE TARGET PORT", String(parameters.relativeTargetPort)],
      ["TRANSPORTID", describeTransportId(parameters.transportId)],
    ];
  }
  const { allTgPt, specIPt } = parameters;
  return [
    ...keys,
    ["ALL_TG_PT", allTgPt ? "1, through every target port" : "0, through this target port"],
    ["SPEC_I_PT", specIPt === null ? "0" : "1, also for the initiator ports listed"],
    ...(specIPt ?? []).map((id) => ["TRANSPORTID", describeTransportId(id)] as const),
  ];
}

/** A parameter list for programs. */
export function parameterFacts(parameters: PrOutParameters): Explanation["facts"] {
  const { kind, rk, sark, ...rest } = parameters;
  return { ...rest, kind: kind === "move" ? "moveParameters" : "parameters", rk: formatKey(rk), sark: formatKey(sark) };
}

/** Explains one TransportID. Errors: `ShortBuffer`, `Malformed`. */
export function explainTransportId(bytes: Uint8Array): Explanation {
  const { id, length } = decodeTransportId(bytes);
  const rest = bytes.length - length;
  return {
    title: `TransportID: ${describeTransportId(id)}`,
    rows: [],
    notes: rest > 0 ? [`${rest} bytes follow that are no part of it.`] : [],
    facts: { kind: "transportId", ...id },
  };
}

/** Explains a key by itself. */
export function explainKey(key: bigint): Explanation {
  const notes = key === 0n ? ["Key 0 is never registered: it stands for no key."] : keyNotes(key);
  return { title: `reservation key ${formatKey(key)}`, rows: [], notes, facts: { kind: "key", key: formatKey(key) } };
}
