/**
 * Which commands the far end executes: PERSISTENT RESERVE IN and OUT, those of the scenarios to the letter, and those by
 * which a LUN is looked at. Pure.
 *
 * @module
 */
import { BeReader, toHex } from "../../bytes.ts";
import { PR_IN, PR_OUT } from "../../pr/cdb.ts";
import { ORDINARY_NAMES, ordinaryCommand, type OrdinaryName } from "../../qualify/ordinary.ts";
import { OPCODE } from "../../scsi/opcodes.ts";
import { LOOKED_AT_BYTES, READ_10 } from "./contents.ts";

/** Smallest blocks there are: the first so many hold what the survey looks at. */
const FIRST_BLOCKS = LOOKED_AT_BYTES / 512;

const OF_SCENARIOS: ReadonlySet<string> = new Set(
  // The size of a block is in no command block.
  ORDINARY_NAMES.map((name: OrdinaryName) => toHex(ordinaryCommand(name, 512).cdb)),
);

/** Whether the far end executes a command block. */
export function isPermitted(cdb: Uint8Array): boolean {
  switch (cdb[0]) {
    case PR_IN:
    case PR_OUT:
      return cdb.length === 10;
    case OPCODE.inquiry:
      return cdb.length === 6;
    case OPCODE.requestSense:
      return cdb.length === 6;
    case READ_10: {
      if (cdb.length !== 10) return false;
      const block = new BeReader(cdb);
      return block.u32(2, "LOGICAL BLOCK ADDRESS") + block.u16(7, "TRANSFER LENGTH") <= FIRST_BLOCKS;
    }
    default:
      return OF_SCENARIOS.has(toHex(cdb));
  }
}
