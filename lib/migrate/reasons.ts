/**
 * Why a hand-over turns back. Caught where the way back begins; the way back decides what is reported.
 *
 * @module
 */
import type { FailureKind } from "../errors.ts";

/** A reason to turn back, not yet a report: what is true of the LUN is known only after the way back. */
export class TurnBack extends Error {
  override readonly name = "TurnBack";
  constructor(
    readonly why: "timeout" | "refused" | "interrupted" | "link" | "aborted" | "fenced" | "dropped" | "failed",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Kind of the final report, once the LUN is as before. */
  get kind(): FailureKind {
    if (this.why === "interrupted") return "interrupted";
    return ["refused", "fenced", "dropped"].includes(this.why) ? "refused" : "failed";
  }
}
