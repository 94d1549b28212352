/**
 * What a simulated command comes to: status, sense and data, beside the LUN as it is afterwards. Pure.
 *
 * @module
 */
import type { Bytes } from "../../bytes.ts";
import type { LunModel } from "./model.ts";
import type { SenseCode } from "./sense_code.ts";

/** SAM status codes the simulated LUN answers with. */
export const STATUS = { good: 0x00, checkCondition: 0x02, reservationConflict: 0x18 } as const;

/** The result of one command. */
export interface Outcome {
  /** The LUN afterwards; the very same object when nothing changed. */
  readonly model: LunModel;
  /** SAM status: 00h, 02h or 18h. */
  readonly status: number;
  /** Sense of a CHECK CONDITION, else `null`. */
  readonly sense: SenseCode | null;
  /** Data-in, cut at the allocation length; empty unless GOOD. */
  readonly dataIn: Bytes;
}

/** Why a command is refused: RESERVATION CONFLICT, or a CHECK CONDITION with this sense. */
export type Refusal = "conflict" | SenseCode;

const NO_DATA: Bytes = new Uint8Array(0);

/** GOOD. */
export function good(model: LunModel, dataIn: Bytes = NO_DATA): Outcome {
  return { model, status: STATUS.good, sense: null, dataIn };
}

/** RESERVATION CONFLICT. */
export function conflict(model: LunModel): Outcome {
  return { model, status: STATUS.reservationConflict, sense: null, dataIn: NO_DATA };
}

/** CHECK CONDITION. */
export function check(model: LunModel, sense: SenseCode): Outcome {
  return { model, status: STATUS.checkCondition, sense, dataIn: NO_DATA };
}

/** The outcome of a refusal: nothing changed. */
export function refuse(model: LunModel, why: Refusal): Outcome {
  return why === "conflict" ? conflict(model) : check(model, why);
}
