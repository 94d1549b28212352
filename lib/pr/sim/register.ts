/**
 * REGISTER and REGISTER AND IGNORE EXISTING KEY, with SPEC_I_PT and ALL_TG_PT. Pure.
 * Source: SPC-4, "Registering", "Unregistering"; the common checks (list length, RK, flags) are made before.
 *
 * @module
 */
import type { BasicParameters } from "../pr_out.ts";
import { type LunModel, registrationOf } from "./model.ts";
import { initiatorOfTransportId, type NexusId, portOf, throughPort } from "./nexus_id.ts";
import { check, conflict, good, type Outcome } from "./outcome.ts";
import { count, putRegistration, setAptpl, unregister } from "./registry.ts";
import { SENSE } from "./sense_code.ts";

/** Executes the action; `ignoreKey` for REGISTER AND IGNORE EXISTING KEY. */
export function register(model: LunModel, nexus: NexusId, list: BasicParameters, ignoreKey: boolean): Outcome {
  const { profile, ports } = model.device;
  const mine = registrationOf(model, nexus);
  if (mine !== undefined && list.specIPt !== null) return check(model, SENSE.invalidFieldInList);
  if (mine === undefined && list.sark === 0n) return report(nothingRegistered(model, list.aptpl));
  if (mine?.allTgPt && !list.allTgPt && profile.allTgPtSticks) return check(model, SENSE.invalidFieldInCdb);
  const siblings = list.allTgPt
    ? ports.filter((port) => port !== portOf(nexus)).map((port) => throughPort(nexus, port))
    : [];
  if (mine === undefined) return registerNew(model, nexus, siblings, list, ignoreKey);
  if (list.sark === 0n) return unregisterAll(model, nexus, siblings, list, ignoreKey);
  const reached = profile.allTgPtReachesSiblings ? siblings : [];
  if (!ignoreKey && reached.some((each) => heldUnderAnother(model, each, mine.key))) return conflict(model);
  return store(model, [nexus, ...reached], list);
}

/** REGISTER that leaves an unregistered sender as it is. */
function nothingRegistered(model: LunModel, aptpl: boolean): LunModel {
  const { profile } = model.device;
  const counted = count(model, profile.generationCountsNothingRegistered ? 1 : 0);
  return profile.nothingRegisteredSetsAptpl ? setAptpl(counted, aptpl) : counted;
}

function registerNew(
  model: LunModel,
  nexus: NexusId,
  siblings: readonly NexusId[],
  list: BasicParameters,
  ignoreKey: boolean,
): Outcome {
  // All or nothing: a port where the same initiator is registered would refuse RESERVATION KEY 0.
  if (!ignoreKey && siblings.some((each) => registrationOf(model, each))) return conflict(model);
  const named = nexusesNamed(model, nexus, list);
  if (named === null) return check(model, SENSE.invalidFieldInList);
  return store(model, [nexus, ...siblings, ...named], list);
}

function store(model: LunModel, nexuses: readonly NexusId[], list: BasicParameters): Outcome {
  const { profile, maxRegistrations } = model.device;
  let after = model;
  for (const each of nexuses) after = putRegistration(after, { nexus: each, key: list.sark, allTgPt: list.allTgPt });
  if (after.registrations.length > maxRegistrations) return check(model, SENSE.insufficientRegistrations);
  const counted = count(after, profile.generationCountsEachPort ? nexuses.length : 1);
  return report(setAptpl(counted, list.aptpl));
}

function unregisterAll(
  model: LunModel,
  nexus: NexusId,
  siblings: readonly NexusId[],
  list: BasicParameters,
  ignoreKey: boolean,
): Outcome {
  const { profile } = model.device;
  const key = registrationOf(model, nexus)?.key;
  const reached = ignoreKey && !profile.allTgPtReachesSiblings ? [] : siblings;
  let after = model;
  let released = false;
  for (const each of [nexus, ...reached]) {
    const there = registrationOf(after, each);
    if (there === undefined || (!ignoreKey && there.key !== key)) continue;
    const step = unregister(after, each);
    after = step.model;
    released ||= step.released;
  }
  const counts = (profile.generationCountsUnregister ? 1 : 0) +
    (released && profile.generationCountsImplicitRelease ? 1 : 0);
  return report(setAptpl(count(after, counts), list.aptpl));
}

/** The nexuses SPEC_I_PT names, without those a lenient target skips; `null` when one is unknown, or may not be named. */
function nexusesNamed(model: LunModel, nexus: NexusId, list: BasicParameters): NexusId[] | null {
  const { profile, ports } = model.device;
  const reached = list.allTgPt ? ports : [portOf(nexus)];
  const found: NexusId[] = [];
  for (const id of list.specIPt ?? []) {
    const initiator = initiatorOfTransportId(id);
    if (initiator === null) return null;
    for (const port of reached) {
      const each = throughPort(initiator, port);
      if (each === nexus || found.includes(each)) continue;
      if (registrationOf(model, each) !== undefined) {
        if (profile.specIPtRegistered === "refuse") return null;
        if (profile.specIPtRegistered === "skip") continue;
      }
      found.push(each);
    }
  }
  return found;
}

function heldUnderAnother(model: LunModel, nexus: NexusId, key: bigint): boolean {
  const there = registrationOf(model, nexus);
  return there !== undefined && there.key !== key;
}

/** GOOD; or, from a LIO that cannot write its APTPL file, 02/08/00 for a command that was executed all the same. */
function report(after: LunModel): Outcome {
  return after.device.profile.registerReportsNotReady
    ? check(after, SENSE.logicalUnitCommunicationFailure)
    : good(after);
}
