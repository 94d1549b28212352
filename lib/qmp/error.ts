/**
 * The one error of QMP: which command of which QEMU, what came of it, and whether QEMU may have carried it out.
 *
 * @module
 */

/**
 * What went wrong: QEMU refused the command; it did not answer in time; the connection is over; what came is not QMP.
 */
export type QmpFailure = "refused" | "timeout" | "closed" | "protocol";

/** What a {@link QmpError} tells beside its words. */
export interface QmpFacts {
  /** Which QEMU: the address it was reached at. */
  readonly address: string;
  /** The command that failed; `null` when the connection itself did. */
  readonly command: string | null;
  /** QEMU's error class, where it refused: `GenericError`, `CommandNotFound` ... */
  readonly errorClass?: string;
  /** True when the command was on its way, so that nobody knows whether QEMU has carried it out. */
  readonly mayBeDone: boolean;
}

/** A QMP command or connection that failed. */
export class QmpError extends Error {
  override readonly name = "QmpError";
  constructor(readonly failure: QmpFailure, message: string, readonly facts: QmpFacts, options?: ErrorOptions) {
    super(message, options);
  }
}
