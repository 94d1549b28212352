/** Known differences of kinds of target from the scenarios, each with its reason. @module */
import type { Deviation } from "./verdict.ts";

/** The standard, as the simulated LUN keeps to it by default: no differences. */
export const STANDARD: readonly Deviation[] = [];
