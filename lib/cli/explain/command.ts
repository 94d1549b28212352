/**
 * Explains a command block, with the data that goes with it where it is at hand. Pure.
 *
 * @module
 */
import { ShortBuffer, toHex } from "../../bytes.ts";
import { decodePrCdb, PR_OUT_ACTION, type PrCdb, prInActionName, prOutActionName } from "../../pr/cdb.ts";
import { describeCommand, describeType } from "../../pr/describe.ts";
import { Malformed } from "../../pr/malformed.ts";
import { decodePrOut, type PrOutParameters } from "../../pr/pr_out.ts";
import { prTypeInfo } from "../../pr/types.ts";
import type { Explanation } from "./explanation.ts";
import { explainPrIn, parameterFacts, parameterRows } from "./data.ts";
import { effectOf, keyNotes } from "./meaning.ts";

type Row = readonly [label: string, value: string];

/** Bytes of a PERSISTENT RESERVE command block, without padding. */
export const PR_CDB_BYTES = 10;

/** Explains a command block. `data`: its parameter list, or the data it brought back. Errors: `ShortBuffer`, `Malformed`. */
export function explainCommand(cdb: Uint8Array, data: Uint8Array | null): Explanation {
  const said = decodePrCdb(cdb);
  const bytes: Row = ["CDB", toHex(cdb, " ")];
  switch (said.kind) {
    case "in":
      return explainIn(said, bytes, cdb, data);
    case "out":
      return explainOut(said, bytes, cdb, data);
    case "other": {
      const title = describeCommand(cdb);
      return { title, rows: [bytes], notes: [], facts: { kind: "cdb", cdb: toHex(cdb), command: title } };
    }
  }
}

function explainIn(
  { action, allocationLength }: Extract<PrCdb, { kind: "in" }>,
  bytes: Row,
  cdb: Uint8Array,
  data: Uint8Array | null,
): Explanation {
  const head: Row[] = [
    bytes,
    ["SERVICE ACTION", `${hexByte(action)}, ${prInActionName(action)}`],
    ["ALLOCATION LENGTH", `${allocationLength} bytes`],
  ];
  const facts = {
    kind: "cdb",
    cdb: toHex(cdb),
    command: "PERSISTENT RESERVE IN",
    serviceAction: prInActionName(action),
    allocationLength,
  };
  const title = describeCommand(cdb);
  if (data === null) return { title, rows: head, notes: ["Reads, and changes nothing."], facts };
  const answer = explainPrIn(action, data);
  return {
    title,
    rows: [...head, ["DATA", answer.title], ...answer.rows],
    notes: answer.notes,
    facts: { ...facts, data: answer.facts },
  };
}

function explainOut(
  { action, scope, type, parameterListLength }: Extract<PrCdb, { kind: "out" }>,
  bytes: Row,
  cdb: Uint8Array,
  data: Uint8Array | null,
): Explanation {
  const list = parameterList(action, data);
  const parameters = list instanceof Error ? null : list;
  const facts = {
    kind: "cdb",
    cdb: toHex(cdb),
    command: "PERSISTENT RESERVE OUT",
    serviceAction: prOutActionName(action),
    scope,
    type,
    typeName: prTypeInfo(type)?.name ?? null,
    parameterListLength,
    ...(data === null ? {} : { parameters: parameters === null ? null : parameterFacts(parameters) }),
  };
  const rows: Row[] = [
    bytes,
    ["SERVICE ACTION", `${hexByte(action)}, ${prOutActionName(action)}`],
    ["SCOPE", scope === 0 ? "0, the whole logical unit" : `${scope}, no scope a target knows`],
    ["TYPE", USES_TYPE.includes(action) ? describeType(type) : `${type}, ignored by this service action`],
    ["PARAMETER LIST LENGTH", `${parameterListLength} bytes`],
    ...(parameters === null ? [] : parameterRows(parameters)),
  ];
  const notes = [
    effectOf(action, type, parameters),
    ...(list instanceof Error ? [`The parameter list cannot be decoded: ${list.message}.`] : []),
    ...(data !== null && data.length !== parameterListLength
      ? [`The CDB announces ${parameterListLength} bytes of parameter list, and there are ${data.length}.`]
      : []),
    ...(data === null ? ["The keys are in the parameter list, which is not here: append it to see them."] : []),
    ...keyNotes(...(parameters === null ? [] : [parameters.rk, parameters.sark])),
  ];
  return { title: describeCommand(cdb, data ?? undefined), rows, notes, facts };
}

/** Service actions that look at SCOPE and TYPE. */
const USES_TYPE: readonly number[] = [
  PR_OUT_ACTION.reserve,
  PR_OUT_ACTION.release,
  PR_OUT_ACTION.preempt,
  PR_OUT_ACTION.preemptAndAbort,
  PR_OUT_ACTION.replaceLost,
];

function parameterList(action: number, data: Uint8Array | null): PrOutParameters | Error | null {
  if (data === null) return null;
  try {
    return decodePrOut(action, data);
  } catch (error) {
    if (error instanceof ShortBuffer || error instanceof Malformed) return error;
    throw error;
  }
}

function hexByte(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0") + "h";
}
