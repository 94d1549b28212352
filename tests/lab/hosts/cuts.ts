/**
 * When to cut what: the moments of a hand-over as the wire shows them. Pure.
 *
 *     prepare   dst  REGISTER 0 -> K          commit   src  REGISTER K -> one-time key
 *     take      dst  PREEMPT one-time key
 *
 * @module
 */
import { randomFrom } from "../../support/random.ts";
import type { WireStep } from "./steps.ts";

/** A step of the hand-over. */
export type StepName = "prepare" | "commit" | "take";
/** Before the target has the command; when it has it and the answer gets lost; when the answer is there. */
export type When = "notSent" | "answerLost" | "answered";
/** What is cut. Whose network is cut can neither reach its LUN nor the other host. */
export type Cut = "power of src" | "power of dst" | "network of src" | "network of dst";

/** One round. */
export interface Moment {
  readonly cut: Cut;
  readonly step: StepName;
  readonly when: When;
}

export const CUTS: readonly Cut[] = ["power of src", "power of dst", "network of src", "network of dst"];
export const STEPS: readonly StepName[] = ["prepare", "commit", "take"];
export const WHENS: readonly When[] = ["notSent", "answerLost", "answered"];

/** The moments there are. */
export const MOMENTS: readonly Moment[] = CUTS.flatMap((cut) =>
  STEPS.flatMap((step) => WHENS.map((when) => ({ cut, step, when })))
);

/** Which step of the hand-over of `key` from `src` to `dst` (addresses) a command belongs to. */
export function stepOf(
  { action, rk, sark, initiator }: WireStep,
  { key, src, dst }: { readonly key: bigint; readonly src: string; readonly dst: string },
): StepName | null {
  const registers = /^REGISTER\b/.test(action);
  if (initiator === dst && registers && rk === 0n && sark !== 0n) return "prepare";
  if (initiator === src && registers && rk === key && sark !== key && sark !== 0n) return "commit";
  if (initiator === dst && /^PREEMPT/.test(action)) return "take";
  return null;
}

/** Whom a cut hits. */
export function victimOf(cut: Cut): "src" | "dst" {
  return cut.endsWith("src") ? "src" : "dst";
}

/** `count` moments drawn by `seed`, every cut as often as the others. */
export function drawMoments(seed: number, count: number): Moment[] {
  const random = randomFrom(seed);
  const left = new Map(CUTS.map((cut) => [cut, MOMENTS.filter((each) => each.cut === cut)]));
  return Array.from({ length: Math.min(count, MOMENTS.length) }, (_, i) => {
    const those = left.get(CUTS[i % CUTS.length]!)!;
    return those.splice(Math.floor(random() * those.length), 1)[0]!;
  });
}
