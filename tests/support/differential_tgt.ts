/**
 * Where tgt and its profile are not held against each other, each with its reason; in everything else they answer alike. Pure data.
 *
 * @module
 */
import { PR_OUT_ACTION } from "../../lib/pr/cdb.ts";
import { isPrType } from "../../lib/pr/types.ts";
import type { Considered, Forbid } from "./differential_plan.ts";

interface Rule {
  readonly reason: string;
  /** Not to be sent in the history of this number. */
  readonly applies: (considered: Considered, history: number) => boolean;
}

const A = PR_OUT_ACTION;

const RULES: readonly Rule[] = [
  {
    reason: "REGISTER AND MOVE finds its destination by the key, and without a reservation ends tgt (a null pointer)",
    applies: ({ action }) => action === A.registerAndMove,
  },
  {
    reason: "PREEMPT takes any TYPE and any SCOPE, and keeps them",
    applies: ({ action, type, scope }) => action === A.preempt && (!isPrType(type) || scope !== 0),
  },
  {
    reason: "PREEMPT frees the registration that made a reservation of type 7 or 8, and goes on using it: " +
      "even histories have these types and no PREEMPT, odd ones PREEMPT without these types",
    applies: ({ action, type }, history) =>
      history % 2 === 0 ? action === A.preempt : [A.reserve, A.preempt].some((each) => each === action) && type >= 7,
  },
];

/** What is not sent to tgt in the history of this number. */
export function forbiddenToTgt(history: number): Forbid {
  return (considered) => RULES.some(({ applies }) => applies(considered, history));
}

/** Unit attentions that are not compared: tgt tells of a reservation's end everybody but the registrant that is to hear. */
export const TGT_FORGIVEN: readonly string[] = ["06/2A/04"];
