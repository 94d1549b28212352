/**
 * The moment at which the reservation changes sides, and which one to take. Pure.
 *
 *     gate         guest stands still    take happens                              needs
 *     paused       on both sides         source completed, destination paused      the destination's QMP
 *     completed    at the destination    destination runs already                  types under which a registration is access
 *     switchover   on the source         source waits at pre-switchover            nothing
 *
 * `paused` is the best: until the destination is told to run, everything can be undone, and nothing resumes by itself.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { type PrType, prTypeInfo } from "../../pr/types.ts";

/** All gates, the safest first. */
export const GATES = ["paused", "completed", "switchover"] as const;

/** One gate. */
export type VmGate = (typeof GATES)[number];

/** A gate and why it is that one, for people. */
export interface GateChoice {
  readonly gate: VmGate;
  readonly why: string;
}

/** What the choice depends on. */
export interface GateFacts {
  /** Types of what is moved; 0 for a mere registration. */
  readonly types: readonly (PrType | 0)[];
  /** The destination's QMP can be reached. */
  readonly destinationReachable: boolean;
  /** What the user wants. */
  readonly asked?: VmGate;
}

/** True for a type under which every registered nexus may read and write, so that a prepared destination can run. */
export function registrationIsAccess(type: PrType | 0): boolean {
  return type === 0 || ![1, 3].includes(prTypeInfo(type)!.type);
}

/** Chooses. Throws PrmigError `usage` for a gate that cannot work here. */
export function chooseGate({ types, destinationReachable, asked }: GateFacts): GateChoice {
  const holderOnly = types.filter((type) => !registrationIsAccess(type));
  if (asked === "paused" && !destinationReachable) {
    throw unfit(asked, "it needs the destination's QMP", "add --dst-qmp SOCK, or leave out --gate");
  }
  if (asked === "completed" && holderOnly.length > 0) {
    throw unfit(
      asked,
      `under type ${holderOnly[0]} only the holder may write`,
      "leave out --gate, or add --dst-qmp SOCK",
    );
  }
  if (asked !== undefined) return { gate: asked, why: "as asked" };
  if (destinationReachable) return { gate: "paused", why: "both guests stand still while the reservation moves" };
  if (holderOnly.length === 0) {
    return { gate: "completed", why: "a registered destination has access before it holds the reservation" };
  }
  return {
    gate: "switchover",
    why: `under type ${holderOnly[0]} only the holder may write, and there is no --dst-qmp`,
  };
}

function unfit(gate: VmGate, why: string, remedy: string): PrmigError {
  return new PrmigError("usage", { message: `--gate ${gate} cannot be used here: ${why}`, lun: "not touched", remedy });
}
