/**
 * What must hold after every event, and at every end (docs/hand-over.md, "What holds at every instant").
 *
 * @module
 */
import { PrmigError } from "../../lib/errors.ts";
import type { Outcome } from "../../lib/migrate/journal_entry.ts";
import { isToken } from "../../lib/migrate/tokens.ts";
import { isAllRegistrants } from "../../lib/pr/sim/model.ts";
import { C_KEY, K, NEXUS, type Scene, type Who } from "./scene.ts";
import { isUndecided } from "./crash_moves.ts";
import { isClosed, isFenced, movedOn, type World } from "./world.ts";

const SIDES = ["source", "destination"] as const;

/** What is wrong in a world that was just reached from `before`; `null` when all is well. */
export function wrongNow(scene: Scene, before: World, world: World): string | null {
  if (before.lun !== world.lun || before.gap !== world.gap) {
    for (let lun = 0; lun < scene.luns.count; lun++) {
      const wrong = wrongOnLun(scene, world, lun);
      if (wrong) return onLun(scene, lun, wrong);
    }
  }
  for (const who of SIDES) {
    const side = world[who];
    if (side.state !== "ended" || before[who].state === "ended") continue;
    const wrong = wrongReport(scene, world, who);
    if (wrong) return wrong;
  }
  return null;
}

/** Says which of several LUNs it is about. */
function onLun({ luns }: Scene, lun: number, wrong: string): string {
  return luns.count === 1 ? wrong : `${wrong} (LUN ${lun + 1})`;
}

/** The third party deals with the first LUN alone. */
function isFencedOn(world: World, lun: number): boolean {
  return lun === 0 && isFenced(world);
}

function wrongOnLun(scene: Scene, world: World, lun: number): string | null {
  const { variant, luns, offer } = scene;
  const facts = luns.facts(world.lun, lun);
  const { key, type } = movedOn(world, lun, offer);
  const fenced = isFencedOn(world, lun);
  const gap = (world.gap & (1 << lun)) !== 0;
  if (type !== 0 && !fenced) {
    if (facts.reservation === null) return "I1: the LUN is not reserved";
    if (facts.reservation.type !== type) return `I1: the reservation has become type ${facts.reservation.type}`;
    const { holder } = facts.reservation;
    if (!["*", "a", "b"].includes(holder)) return `I1: ${holder} holds the reservation`;
  }
  const carriesK = SIDES.some((who) => facts.keys[NEXUS[who]]?.includes(key));
  // A destination under a one-time key of its own carries K only once it has settled.
  const keyStays = offer.destinationToken === null;
  if (keyStays && !fenced && !gap && !carriesK) return "I2: the guest's key is on neither side";
  if (gap && carriesK && !facts.keys.a?.some(isToken)) return "I2: the gap outlasts its REGISTER";
  const bystander = facts.keys.c?.[0];
  const bystanderMayBeGone = variant.shared && (fenced || lun === 0 && world.fence === "missed");
  if (bystander !== (variant.shared ? K : C_KEY) && !bystanderMayBeGone) return "I4: the bystander was touched";
  if (facts.ptplActive !== luns.facts(luns.start, lun).ptplActive) return "I4: PTPL_A has changed";
  return null;
}

/** How a side says that the hand-over ended; by its journal, or, where the disk was full, by its exit. */
export function outcomeOf({ variant }: Scene, world: World, who: Who): Outcome | "unsure" | "nothing written" {
  const { journal, node, recovers } = world[who];
  if (journal === null) return "nothing written";
  if (journal.phase === "closed") return journal.outcome!;
  const end = node?.end;
  if (!end || recovers > 0 || world.left.faults === variant.budget.faults) return "unsure";
  if (end.error === null) return "moved";
  return end.error instanceof PrmigError && end.error.kind === "failed" ? "restored" : "unsure";
}

/** A process has ended: is what it says true? */
function wrongReport(scene: Scene, world: World, who: Who): string | null {
  const side = world[who];
  const error = side.node!.end!.error;
  if (error !== null && !(error instanceof PrmigError)) return `the ${who} threw: ${error.stack ?? error.message}`;
  const outcome = outcomeOf(scene, world, who);
  const first = side.recovers === 0;
  if (error === null && first && outcome !== "moved") return `the ${who} exits 0 with "${outcome}"`;
  if (error !== null && outcome === "moved") return `the ${who} fails although it says "moved": ${error.message}`;
  if (error !== null && outcome === "fenced" && error.kind !== "refused") {
    return `the ${who} was fenced and exits as "${error.kind}"`;
  }
  if (error !== null && first && outcome === "unsure" && !mayBeOpen(scene, world, who, error)) {
    return `the ${who}'s journal is open, and it exits as "${error.kind}": ${error.message}`;
  }
  // A third party that preempted the guest's key and met only others under it has fenced the guest, in a way.
  if (outcome === "fenced" && !isFenced(world) && world.fence !== "missed") {
    return `the ${who} says "fenced", and nobody fenced`;
  }
  const success = outcome === "moved" || outcome === "restored";
  if (success && side.sawFenced && world.residual === "no") {
    return `F: the ${who} saw the fencing and says "${outcome}"`;
  }
  for (let lun = 0; lun < scene.luns.count; lun++) {
    if (isFencedOn(world, lun)) continue;
    const { keys } = scene.luns.facts(world.lun, lun);
    if (outcome === "moved" && !(holds(scene, world, lun, "destination") && !keys.a)) {
      return onLun(scene, lun, `I3: the ${who} says "moved", and the destination does not hold alone`);
    }
    if (outcome === "restored" && !holds(scene, world, lun, "source")) {
      return onLun(scene, lun, `I3: the ${who} says "restored", and the source does not hold`);
    }
  }
  return null;
}

/** What needs `prmig recover` says so by exit code 5; a disk that was full at the very end is only told. */
function mayBeOpen({ variant, luns }: Scene, world: World, who: Who, { kind }: PrmigError): boolean {
  if (kind === "unsure" || world[who].journal!.phase === "offered") return true;
  const keys = Array.from({ length: luns.count }, (_, lun) => luns.facts(world.lun, lun).keys[NEXUS[who]] ?? []).flat();
  const asBefore = who === "source" ? !keys.some(isToken) : keys.length === 0;
  return world.left.faults < variant.budget.faults && asBefore;
}

/** What is wrong in a world in which nothing more will happen. */
export function wrongAtEnd(scene: Scene, world: World): string | null {
  // A person has to be asked, and the person knows that the guest was fenced.
  if (isUndecided(scene, world) && isFenced(world)) return null;
  const isLeft = (who: Who): boolean => who === "source" || !scene.variant.destinationDies;
  const open = SIDES.find((who) => !isClosed(world[who]) && world[who].state !== "unborn" && isLeft(who));
  if (open && world[open].journal !== null) return `the ${open}'s journal is never closed`;
  const holders = new Set<Who>();
  for (let lun = 0; lun < scene.luns.count; lun++) {
    const end = endOn(scene, world, lun);
    if (typeof end === "object") return onLun(scene, lun, end.wrong);
    if (end !== "nobody") holders.add(end);
  }
  const [holder] = holders;
  if (holder === undefined) return null;
  if (holders.size > 1) return "I3: one LUN is with the source, one with the destination";
  // Rolled back by a person: the destination's "moved" was true when it was said.
  const bygone = (who: Who): boolean =>
    world.rolledBack && who === "destination" && outcomeOf(scene, world, who) === "moved";
  const says = SIDES.filter((who) => !bygone(who)).map((who) => outcomeOf(scene, world, who));
  const right = holder === "source" ? "restored" : "moved";
  const harmless: string[] = [right, "unsure", "nothing", "nothing written"];
  if (world.fence === "missed" || isFenced(world)) harmless.push("fenced");
  const liar = says.find((outcome) => !harmless.includes(outcome));
  return liar === undefined ? null : `I3: the ${holder} holds, and a side says "${liar}"`;
}

/** Who has one LUN in the end: one of the two, or, where the guest was fenced, nobody. */
function endOn(scene: Scene, world: World, lun: number): Who | "nobody" | { readonly wrong: string } {
  const { a, b } = scene.luns.facts(world.lun, lun).keys;
  const { key } = movedOn(world, lun, scene.offer);
  if (isFencedOn(world, lun)) {
    if (!a && !b) return "nobody";
    return world.residual === "yes" && !b && a?.every((each) => each === key)
      ? "nobody"
      : { wrong: "F: the guest is back after fencing" };
  }
  if (lun === 0 && world.fence === "missed" && !a && !b) return "nobody";
  const holders = SIDES.filter((who) => holds(scene, world, lun, who));
  if (holders.length !== 1) return { wrong: `I3: ${holders.length} sides hold` };
  if (a && b) return { wrong: "I3: both sides are registered" };
  const keys = a ?? b ?? [];
  if (keys.some((each) => each !== key) || keys.length !== scene.variant.paths) {
    return { wrong: "I3: a path is without the guest's key" };
  }
  return holders[0]!;
}

function holds({ luns, offer }: Scene, world: World, lun: number, who: Who): boolean {
  const { keys, reservation } = luns.facts(world.lun, lun);
  const { type } = movedOn(world, lun, offer);
  const name = NEXUS[who];
  if (!keys[name]) return false;
  if (type === 0) return true;
  return isAllRegistrants(type) ? reservation?.type === type : reservation?.holder === name;
}
