/**
 * What a PERSISTENT RESERVE OUT does, in a sentence, and what a key or a sense code should make an operator think of.
 *
 * Pure. Source: SPC-4, "PERSISTENT RESERVE OUT command" and "Persistent reservations".
 *
 * @module
 */
import { isToken } from "../../migrate/tokens.ts";
import { PR_OUT_ACTION } from "../../pr/cdb.ts";
import { describeTransportId } from "../../pr/describe.ts";
import type { PrOutParameters } from "../../pr/pr_out.ts";
import { formatKey, isPrType, prTypeInfo } from "../../pr/types.ts";
import { type Sense, senseCode } from "../../scsi/sense.ts";

/** What the command asks for; `parameters` are null when its parameter list is not at hand. */
export function effectOf(action: number, type: number, parameters: PrOutParameters | null): string {
  const rk = parameters === null ? "RK" : formatKey(parameters.rk);
  const sark = parameters === null ? "SARK" : formatKey(parameters.sark);
  switch (action) {
    case PR_OUT_ACTION.register:
      return registerEffect(parameters);
    case PR_OUT_ACTION.registerAndIgnore:
      return parameters?.sark === 0n
        ? "Removes the sender's registration, whatever its key is."
        : `Registers the sender under ${sark}, whatever key it has now; a reservation it holds stays its own.`;
    case PR_OUT_ACTION.reserve:
      return `The sender, registered under ${rk}, asks for a ${typeWords(type)} reservation.`;
    case PR_OUT_ACTION.release:
      return `The sender, registered under ${rk}, gives up its ${typeWords(type)} reservation; registrations stay.`;
    case PR_OUT_ACTION.clear:
      return `The sender, registered under ${rk}, removes the reservation and every registration, also its own.`;
    case PR_OUT_ACTION.preempt:
    case PR_OUT_ACTION.preemptAndAbort:
      return preemptEffect(action, type, parameters);
    case PR_OUT_ACTION.registerAndMove:
      return parameters?.kind === "move"
        ? `The holder, registered under ${rk}, registers ${
          describeTransportId(parameters.transportId)
        } under ${sark} and gives it the reservation${parameters.unreg ? ", and unregisters itself" : ""}.`
        : "The holder registers another initiator port and gives it the reservation.";
    case PR_OUT_ACTION.replaceLost:
      return "Starts again after the target lost its reservations: clears what is left and registers and reserves anew.";
    default:
      return "No standard defines this service action; a target answers ILLEGAL REQUEST.";
  }
}

function registerEffect(parameters: PrOutParameters | null): string {
  if (parameters === null) {
    return "Registers the sender (RK 0), changes its key (RK, SARK), or unregisters it (SARK 0): the parameter list tells.";
  }
  const { rk, sark } = parameters;
  if (rk === 0n && sark === 0n) return "Registers nothing and removes nothing: RK and SARK are both 0.";
  if (rk === 0n) return `Registers the sender, which must not be registered yet, under ${formatKey(sark)}.`;
  if (sark === 0n) {
    return `Removes the sender's registration under ${formatKey(rk)}, and the reservation if it holds it.`;
  }
  if (rk === sark) {
    return `Registers the sender under the key it has, ${
      formatKey(rk)
    }: only PRGENERATION changes, and a RESERVATION ` +
      "CONFLICT tells that the key is not the sender's.";
  }
  return `Changes the sender's key from ${formatKey(rk)} to ${formatKey(sark)}; a reservation it holds stays its own.`;
}

function preemptEffect(action: number, type: number, parameters: PrOutParameters | null): string {
  const abort = action === PR_OUT_ACTION.preemptAndAbort ? ", and aborts their commands" : "";
  if (parameters === null) {
    return `Removes every registration under SARK${abort}; if SARK holds the reservation, the sender holds it afterwards.`;
  }
  const { rk, sark } = parameters;
  if (sark === 0n) {
    return `The sender, registered under ${
      formatKey(rk)
    }, takes an All Registrants reservation and removes everybody ` +
      `else${abort}; without one, SARK 0 is an error.`;
  }
  const own = rk === sark ? " The sender's own key is preempted: fellow registrants under it are removed." : "";
  return `Removes every registration under ${
    formatKey(sark)
  }${abort}; if that key holds the reservation, the sender, ` +
    `registered under ${formatKey(rk)}, holds it afterwards as ${typeWords(type)}.${own}`;
}

function typeWords(type: number): string {
  return isPrType(type) ? prTypeInfo(type)!.name : `type ${type} (reserved, a target refuses it)`;
}

/** What should be said of keys that were seen. */
export function keyNotes(...keys: readonly bigint[]): string[] {
  const tokens = [...new Set(keys.filter(isToken))];
  if (tokens.length === 0) return [];
  const one = tokens.length === 1;
  return [
    `${tokens.map(formatKey).join(", ")} ${one ? "is a one-time key" : "are one-time keys"} of a hand-over by prmig ` +
    "(ASCII prmg). Should none be under way, it was interrupted: prmig recover finishes or undoes it.",
  ];
}

/** Hints by sense code; `06/29` stands for every qualifier. */
const SENSE_HINTS: Readonly<Record<string, string>> = {
  "06/2A/03":
    "Another nexus preempted the reservation this one held; this one's registration may still be there. The command was " +
    "not executed. Find out who: prmig dump DEV, prmig watch DEV.",
  "06/2A/04":
    "The reservation was released or cleared by another nexus. The command was not executed; repeating it is safe.",
  "06/2A/05":
    "Another nexus removed this one's registration: fenced, if a cluster did it. The command was not executed. Who holds " +
    "the LUN now: prmig dump DEV.",
  "06/29":
    "The target was started or reset. The command was not executed. Without APTPL registrations do not survive a loss " +
    "of power: prmig dump DEV shows whether they did.",
  "06/2A/06": "A path changed its state (ALUA). The command was not executed; repeating it is safe.",
  "05/20/00": "The device does not know the command: it has no persistent reservations, or they are turned off.",
  "05/24/00":
    "The target refuses a field of the CDB: a type it does not support, a scope other than LU_SCOPE, or an unknown service action.",
  "05/26/00":
    "The target refuses a field of the parameter list: APTPL, ALL_TG_PT or SPEC_I_PT where it does not support them.",
  "05/26/04": "RELEASE named another type or scope than the reservation has. Nothing was changed.",
  "05/1A/00": "The length in the CDB and the parameter list do not fit.",
  "05/55/04": "The target has no room for another registration.",
  "02/04": "The logical unit cannot work at present; the qualifier says why.",
};

/** What a sense code means for reservations. */
export function senseNotes(sense: Sense): string[] {
  const code = senseCode(sense);
  const hint = SENSE_HINTS[code] ?? SENSE_HINTS[code.slice(0, 5)];
  return hint === undefined ? [] : [hint];
}

/** What a conflict means, and who can tell more. */
export const CONFLICT_NOTE =
  "A reservation held by another nexus forbids the command, or the sender's key is not the one it is registered under. " +
  "The command was not executed. Who holds the LUN: prmig dump DEV.";
