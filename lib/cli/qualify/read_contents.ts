/**
 * What the first blocks of a LUN hold, read through any nexus.
 *
 * @module
 */
import { BeReader, BeWriter } from "../../bytes.ts";
import { PrmigError } from "../../errors.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { ordinaryCommand } from "../../qualify/ordinary.ts";
import { COMMAND_TIMEOUT_MS, resultOf } from "../../qualify/talk.ts";
import { contentsOf, LOOKED_AT_BYTES, READ_10 } from "./contents.ts";

/** Blocks are read in pieces that any adapter takes. */
const PIECE_BYTES = 32 * 1024;

const KEPT = "something that another nexus keeps from being read";

/**
 * What is there, in words; `null`: nothing that is recognised. Give it a patient nexus. Rejects with PrmigError `device`
 * when the LUN cannot be read.
 */
export async function readContents(nexus: Nexus): Promise<string | null> {
  const { cdb, data } = ordinaryCommand("readCapacity10", 0);
  const answer = await nexus.execute(cdb, data, { timeoutMs: COMMAND_TIMEOUT_MS });
  if (resultOf(answer) === "conflict") return KEPT; // LIO of older kernels
  if (resultOf(answer) !== "good") throw unreadable(nexus, `READ CAPACITY answers ${resultOf(answer)}`);
  const capacity = new BeReader(answer.dataIn);
  const last = capacity.u32(0, "RETURNED LOGICAL BLOCK ADDRESS");
  const blockBytes = capacity.u32(4, "LOGICAL BLOCK LENGTH");
  if (blockBytes === 0 || blockBytes > PIECE_BYTES) throw unreadable(nexus, `blocks of ${blockBytes} bytes`);
  const blocks = Math.min(last + 1, Math.ceil(LOOKED_AT_BYTES / blockBytes));
  const whole = new Uint8Array(blocks * blockBytes);
  const piece = PIECE_BYTES / blockBytes | 0;
  for (let at = 0; at < blocks; at += piece) {
    const many = Math.min(piece, blocks - at);
    const read = new BeWriter(10).u8(0, READ_10).u32(2, at).u16(7, many).bytes;
    const reply = await nexus.execute(read, many * blockBytes, { timeoutMs: COMMAND_TIMEOUT_MS });
    const result = resultOf(reply);
    if (result === "conflict") return KEPT;
    if (result !== "good") throw unreadable(nexus, `READ answers ${result}`);
    const bytes = reply.dataIn;
    whole.set(bytes.subarray(0, many * blockBytes), at * blockBytes);
  }
  return contentsOf(whole, blockBytes);
}

function unreadable({ address }: Nexus, why: string): PrmigError {
  return new PrmigError("device", {
    message: `Cannot see whether ${address} holds anything: ${why}`,
    device: address,
    lun: "unchanged: it was only read",
    remedy: `see who reserves it: prmig dump ${address}`,
  });
}
