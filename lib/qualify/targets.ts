/**
 * Kinds of target that are known: how to tell them, what they do otherwise, what they lack. Pure data.
 *
 * @module
 */
import { DEVIATIONS } from "./deviations.ts";
import type { RunChoices } from "./choices.ts";

/** What tells a target's kind. */
export interface TargetFacts {
  /** VENDOR IDENTIFICATION. */
  readonly vendor: string;
  /** PRODUCT IDENTIFICATION. */
  readonly product: string;
  /** Host adapter drivers by which it is reached, as the kernel names them; a name for each nexus that has one. */
  readonly drivers: readonly string[];
}

/** A kind of target. */
export interface TargetKind {
  /** For people. */
  readonly name: string;
  /** What the runner is told of it. */
  readonly choices: Pick<RunChoices, "kinds" | "deviations" | "registerAndMove" | "preemptAndAbort">;
}

const LIO_VENDOR = "LIO-ORG";
const LIO_LOOPBACK = "tcm_loopback";
const TGT_VENDOR = "IET";

/** The kind of a target; one that is not known is judged by the standard alone. */
export function targetKind({ vendor, drivers }: TargetFacts): TargetKind {
  if (vendor === LIO_VENDOR) {
    const loopback = drivers.includes(LIO_LOOPBACK);
    return {
      name: "LIO, the Linux kernel target",
      choices: { kinds: loopback ? ["lio", "lio-tcm-loop"] : ["lio"], deviations: DEVIATIONS.lio ?? [] },
    };
  }
  if (vendor === TGT_VENDOR) {
    // REGISTER AND MOVE without a reservation ends tgt 1.0.97 (a null pointer): never sent to it.
    return {
      name: "tgt, the Linux user-space target",
      choices: {
        kinds: ["tgt"],
        deviations: DEVIATIONS.tgt ?? [],
        registerAndMove: false,
        preemptAndAbort: false,
      },
    };
  }
  return { name: "not one whose deviations are known", choices: {} };
}
