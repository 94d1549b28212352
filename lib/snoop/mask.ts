/**
 * What is hidden from guests: the two capabilities that register other nexuses than the guest's own, and the commands
 * that would use them. Pure.
 *
 * A registration a guest makes for somebody else cannot be moved with the guest, nor told from a stranger's. So REPORT
 * CAPABILITIES says that SPEC_I_PT and ALL_TG_PT are not supported, and commands that use them, and REGISTER AND MOVE,
 * get the answer of a target for which that is true.
 *
 * @module
 */
import { PR_IN, PR_IN_ACTION, PR_OUT, PR_OUT_ACTION } from "../pr/cdb.ts";
import { STATUS } from "../scsi/status.ts";
import type { HelperAnswer } from "./helper_protocol.ts";
import { checkCondition } from "./result.ts";

/** SIP_C and ATP_C of REPORT CAPABILITIES, byte 2. */
const MASKED_CAPABILITIES = 0x0c;
const SPEC_I_PT = 0x08, ALL_TG_PT = 0x04;
const FLAGS = 20;

/** The answer with SIP_C and ATP_C cleared, if it is one to REPORT CAPABILITIES; else the answer itself. */
export function maskAnswer(cdb: Uint8Array, answer: HelperAnswer): HelperAnswer {
  const reports = cdb[0] === PR_IN && (cdb[1]! & 0x1f) === PR_IN_ACTION.reportCapabilities;
  if (!reports || answer.status !== STATUS.good || answer.data.length < 3) return answer;
  const data = answer.data.slice();
  data[2]! &= ~MASKED_CAPABILITIES;
  return { ...answer, data };
}

/** The refusal of a PR OUT that would use a masked capability; `null` when it uses none. */
export function refusalOf(cdb: Uint8Array, parameters: Uint8Array): HelperAnswer | null {
  if (cdb[0] !== PR_OUT) return null;
  const action = cdb[1]! & 0x1f;
  if (action === PR_OUT_ACTION.registerAndMove) return checkCondition(0x05, 0x24, 0x00);
  const flags = parameters[FLAGS] ?? 0;
  const registers = action === PR_OUT_ACTION.register || action === PR_OUT_ACTION.registerAndIgnore;
  // ALL_TG_PT is ignored by the other service actions; SPEC_I_PT is invalid in them, and is refused likewise.
  const refused = (flags & SPEC_I_PT) !== 0 || (registers && (flags & ALL_TG_PT) !== 0);
  return refused ? checkCondition(0x05, 0x26, 0x00) : null;
}
