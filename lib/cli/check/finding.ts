/**
 * What `check` has to say: findings, and the verdict they add up to. Pure.
 *
 * @module
 */
import { EXIT } from "../../errors.ts";

/** One thing that was looked at. */
export interface Finding {
  /** What it is about, in one or two words. */
  readonly about: string;
  /** `no` stands in the way of a hand-over; a `warning` is to be known and does not. */
  readonly level: "ok" | "warning" | "no";
  /** A sentence without its full stop. */
  readonly says: string;
  /** One thing to do about it; null where there is nothing to do. */
  readonly remedy: string | null;
  /** With `no`: the device cannot do it, or its state is not fit. */
  readonly kind?: "device" | "refused";
}

/** All is well with it. */
export function fine(about: string, says: string): Finding {
  return { about, level: "ok", says, remedy: null };
}

/** To be known. */
export function warning(about: string, says: string, remedy: string | null): Finding {
  return { about, level: "warning", says, remedy };
}

/** Stands in the way. */
export function obstacle(about: string, kind: "device" | "refused", says: string, remedy: string): Finding {
  return { about, level: "no", says, remedy, kind };
}

/** Whether a hand-over can begin. */
export function verdictOf(findings: readonly Finding[]): "yes" | "no" {
  return findings.some(({ level }) => level === "no") ? "no" : "yes";
}

/** 0 for yes; else the exit code of the first obstacle, as the hand-over itself would end. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const first = findings.find(({ level }) => level === "no");
  return first === undefined ? EXIT.ok : EXIT[first.kind ?? "refused"];
}
