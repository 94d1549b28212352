/**
 * The one error users meet, and the exit code each kind stands for (docs: exit codes in prmig(7)).
 *
 * A PrmigError answers three questions: what failed on which device, what is true of the LUN now, what to do next.
 *
 * @module
 */

/** Exit codes by kind of ending. `ok` is here so that the table is whole. */
export const EXIT = {
  /** done */
  ok: 0,
  /** failed, and the LUN is as before */
  failed: 1,
  /** wrong words on the command line */
  usage: 2,
  /** the LUN's state is not what was expected: stale, fenced, third party, other LUN, shared key */
  refused: 3,
  /** the device cannot do it: not SCSI, no PR, permission, gone */
  device: 4,
  /** outcome unknown or recovery needed */
  unsure: 5,
  /** interrupted, LUN as before */
  interrupted: 130,
} as const;

/** Kind of failure; each has one exit code. */
export type FailureKind = Exclude<keyof typeof EXIT, "ok">;

/** What an error tells, beside its kind. */
export interface FailureFacts {
  /** "Cannot <action> <device>: <decoded status, or what was found against what was expected>" */
  readonly message: string;
  /** Address of the device, as the user gave it, where one is concerned. */
  readonly device?: string;
  /** The SCSI command or system call that failed, decoded. */
  readonly command?: string;
  /** Its decoded status and sense, or errno. */
  readonly status?: string;
  /** What is true of the LUN now, in a sentence. */
  readonly lun: string;
  /** One remedy: a command to run, or the one decision left to a person. */
  readonly remedy: string;
}

/** A failure that says what failed, what is true of the LUN now, and what to do next. */
export class PrmigError extends Error {
  /** For logs: the class, as every Error has it. */
  override readonly name = "PrmigError";
  /** `options.cause`: the error underneath, for those who debug. */
  constructor(readonly kind: FailureKind, readonly facts: FailureFacts, options?: ErrorOptions) {
    super(facts.message, options);
  }

  /** Exit code of this kind of failure. */
  get exitCode(): number {
    return EXIT[this.kind];
  }
}
