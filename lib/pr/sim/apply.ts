/**
 * The simulated LUN: one command in, the LUN as it is afterwards and the answer out. Pure, and made to be called a
 * million times by a model check.
 *
 *   unit attention -> SPC-2 reservation -> lost information -> persistent reservation -> the command itself
 *
 * @module
 */
import { PR_OUT_ACTION } from "../cdb.ts";
import { accessClassOf, type Role } from "../access.ts";
import { mayRun } from "./access_quirks.ts";
import { reportAttention } from "./attention.ts";
import type { Command } from "./command.ts";
import { isHolder, type LunModel, registrationOf } from "./model.ts";
import type { NexusId } from "./nexus_id.ts";
import { ordinary } from "./ordinary.ts";
import { check, conflict, type Outcome } from "./outcome.ts";
import { prIn } from "./pr_in.ts";
import { prOut } from "./pr_out.ts";
import { spc2Command, spc2Conflicts } from "./spc2.ts";
import { SENSE } from "./sense_code.ts";

/** REQUEST SENSE, INQUIRY, REPORT LUNS: no unit attention keeps them from running. */
const EXEMPT_FROM_ATTENTION: readonly number[] = [0x03, 0x12, 0xa0];
/** And LOG SENSE: they run even while the device has lost its reservations. */
const RUN_WITHOUT_INFORMATION: readonly number[] = [...EXEMPT_FROM_ATTENTION, 0x4d];

/** Executes one command of one nexus. */
export function apply(model: LunModel, nexus: NexusId, command: Command): Outcome {
  const { attentionBeforeConflict } = model.device.profile;
  if (attentionBeforeConflict) return attentionFor(model, nexus, command) ?? run(model, nexus, command);
  return conflictFor(model, nexus, command) ?? attentionFor(model, nexus, command) ?? run(model, nexus, command);
}

function attentionFor(model: LunModel, nexus: NexusId, command: Command): Outcome | null {
  if (model.attentions[nexus] === undefined) return null;
  if (command.kind === "ordinary" && EXEMPT_FROM_ATTENTION.includes(command.cdb[0] ?? 0)) return null;
  return reportAttention(model, nexus);
}

function run(model: LunModel, nexus: NexusId, command: Command): Outcome {
  const refused = conflictFor(model, nexus, command) ?? lostInformation(model, command);
  if (refused !== null) return refused;
  switch (command.kind) {
    case "prOut":
      return prOut(model, nexus, command);
    case "prIn":
      return prIn(model, command);
    case "ordinary":
      return spc2Command(model, nexus, command.cdb[0] ?? 0) ?? ordinary(model, nexus, command);
  }
}

/** RESERVATION CONFLICT with somebody's reservation, where the command itself does not decide. */
function conflictFor(model: LunModel, nexus: NexusId, command: Command): Outcome | null {
  const { accessRules, spc2Apart } = model.device.profile;
  if (command.kind !== "ordinary") return model.spc2Holder === null || spc2Apart ? null : conflict(model);
  if (spc2Conflicts(model, nexus, command.cdb[0] ?? 0)) return conflict(model);
  const { reservation } = model;
  if (reservation === null || accessClassOf(command.cdb) === "reservation") return null;
  return mayRun(accessRules, command.cdb, reservation.type, roleOf(model, nexus)) ? null : conflict(model);
}

function roleOf(model: LunModel, nexus: NexusId): Role {
  if (isHolder(model, nexus)) return "holder";
  return registrationOf(model, nexus) === undefined ? "stranger" : "registrant";
}

function lostInformation(model: LunModel, command: Command): Outcome | null {
  if (!model.informationLost) return null;
  if (command.kind === "prOut" && command.action === PR_OUT_ACTION.replaceLost) return null;
  if (command.kind === "ordinary" && RUN_WITHOUT_INFORMATION.includes(command.cdb[0] ?? 0)) return null;
  return check(model, SENSE.reservationInformationLost);
}
