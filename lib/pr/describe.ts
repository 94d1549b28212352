/**
 * Commands and answers in words, for `-v`, `explain` and error messages.
 *
 * Pure, and never throws: bytes that cannot be understood are said to be so.
 *
 *   PERSISTENT RESERVE OUT, PREEMPT, type 5 (Write Exclusive, Registrants Only), rk=0x... sark=0x... -> GOOD
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { OPCODE, opcodeName } from "../scsi/opcodes.ts";
import { classify, describeOutcome } from "../scsi/outcome.ts";
import { decodePrCdb, PR_OUT_ACTION, prInActionName, prOutActionName } from "./cdb.ts";
import { describePrIn, describePrOut, describeType, orReason, plural } from "./describe_data.ts";
import type { Nexus, Reply } from "./nexus.ts";

export { describePrIn, describePrOut, describeTransportId, describeType } from "./describe_data.ts";

/** Service actions whose SCOPE and TYPE mean something. */
const TYPED: readonly number[] = [
  PR_OUT_ACTION.reserve,
  PR_OUT_ACTION.release,
  PR_OUT_ACTION.preempt,
  PR_OUT_ACTION.preemptAndAbort,
  PR_OUT_ACTION.replaceLost,
];

/** A command with its parameter list (bytes) or allocation length (number), on one line. */
export function describeCommand(cdb: Uint8Array, data?: Uint8Array | number): string {
  return orReason(opcodeName(cdb[0] ?? 0), () => {
    const said = decodePrCdb(cdb);
    if (said.kind === "in") return `PERSISTENT RESERVE IN, ${prInActionName(said.action)}`;
    if (said.kind === "other") return describeOther(cdb);
    const words = [`PERSISTENT RESERVE OUT, ${prOutActionName(said.action)}`];
    if (said.scope !== 0) words.push(`scope ${said.scope}`);
    if (TYPED.includes(said.action)) words.push(describeType(said.type));
    if (typeof data === "object") words.push(describePrOut(said.action, data));
    return words.join(", ");
  });
}

function describeOther(cdb: Uint8Array): string {
  const name = opcodeName(cdb[0]!);
  const vitalData = cdb[0] === OPCODE.inquiry && ((cdb[1] ?? 0) & 0x01) !== 0;
  return vitalData ? `${name}, VPD page ${toHex(cdb.subarray(2, 3)).toUpperCase()}h` : name;
}

/** The answer to a command, on one line: its outcome, and the data decoded where it is PERSISTENT RESERVE IN's. */
export function describeReply(cdb: Uint8Array, reply: Reply): string {
  const outcome = classify(reply);
  const words = describeOutcome(outcome);
  if (outcome.kind !== "good" || reply.dataIn.length === 0) return words;
  return `${words}: ${describeDataIn(cdb, reply.dataIn)}`;
}

function describeDataIn(cdb: Uint8Array, data: Uint8Array): string {
  return orReason("data", () => {
    const said = decodePrCdb(cdb);
    if (said.kind !== "in") return plural(data.length, "byte");
    const [head, ...rest] = describePrIn(said.action, data);
    return rest.length === 0 ? head! : `${head}: ${rest.join("; ")}`;
  });
}

/** Wraps a nexus so that every command goes to `sink` with its answer, one line each. */
export function traced(nexus: Nexus, sink: (line: string) => void): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: async (cdb, data, options) => {
      const command = `${nexus.address}: ${describeCommand(cdb, data)}`;
      try {
        const reply = await nexus.execute(cdb, data, options);
        sink(`${command} -> ${describeReply(cdb, reply)}`);
        return reply;
      } catch (error) {
        sink(`${command} -> not sent: ${error instanceof Error ? error.message : error}`);
        throw error;
      }
    },
    close: () => nexus.close(),
  };
}
