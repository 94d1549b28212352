/**
 * A side is killed, its last command arrives late, and somebody runs `prmig recover` or `prmig rollback`.
 *
 * @module
 */
import { isToken } from "../../lib/migrate/tokens.ts";
import { describeReply } from "../../lib/pr/describe.ts";
import type { Op } from "./process.ts";
import type { Scene, Who } from "./scene.ts";
import { isClosed, isFenced, numberOf, other, type World } from "./world.ts";
import type { Move } from "./move.ts";
import { carriedOut, type Command, deliver, isPrOut, put, settle, spend } from "./steps.ts";
import { describe, inWords, inWordsMessage } from "./words.ts";

const MAX_RECOVERS = 3;

export function crashMoves(scene: Scene, world: World, who: Who, op: Op, moves: Move[]): void {
  const poorer = spend(world, "crashes");
  const die = (before: World, late: Command | null = null): World => killed(before, who, late);
  const kill = (what: string, to: () => World): void =>
    void moves.push({ who, optional: true, what: () => `KILLED ${what}`, to });
  if (op.kind === "command" && isPrOut(op)) {
    kill(`with ${describe(scene, op)} on its way`, () => die(poorer, op));
  } else if (op.kind === "command") {
    // Killed before it looks, or after: nobody can tell, and whoever looks gets to something else next.
    return;
  } else if (op.kind === "write") {
    kill("before the journal was written", () => die(poorer));
    kill(`after journal: ${inWords(op.entry)}`, () => die(put(poorer, who, { journal: op.entry })));
  } else if (op.kind === "send" && world.link === "open" && world[other(who)].state === "running") {
    kill("before it could say more", () => die(poorer));
    kill(`having said ${inWordsMessage(op.message)}`, () => die(deliver(poorer, who, op.message)));
  } else kill("while waiting", () => die(poorer));
}

/** A side killed, with a command of its own on its way, perhaps. */
export function killed(world: World, who: Who, late: Command | null = null): World {
  const residual = who === "source" && world.residual === "armed" ? "yes" : world.residual;
  // What it had seen died with it.
  const nothing = { node: null, inbox: [], toldClosed: false, sawFenced: false, seen: -1 };
  return { ...put(world, who, { ...nothing, state: "dead", since: world.now, late }), residual };
}

export function lateMoves(scene: Scene, world: World, who: Who, op: Command, moves: Move[]): void {
  const result = scene.luns.execute(world.lun, op.nexus, op.cdb, op.data);
  if (result.to === world.lun) return;
  moves.push({
    who,
    optional: true,
    what: () => `${describe(scene, op)} arrives late -> ${describeReply(op.cdb, result.reply)}`,
    to: () => carriedOut(scene, put(world, who, { late: null }), who, op, result.reply, result.to),
  });
}

export function recoverMoves(scene: Scene, world: World, who: Who, moves: Move[]): void {
  const side = world[who];
  const { journal, state, recovers, since } = side;
  if (state === "unborn" || journal === null || who === "destination" && scene.variant.destinationDies) return;
  const rollsBack = scene.variant.rollback && who === "source" && state === "ended" && journal.outcome === "moved" &&
    world.destination.state !== "running" && !world.rolledBack;
  if ((isClosed(side) || journal.phase === "closed") && !rollsBack) return;
  const start = (evenIfTaken: boolean): Move["to"] => async () => {
    const tree = scene.recover(who, journal, numberOf(journal), world.now, world.now - since, evenIfTaken);
    const node = await tree.root();
    const born = { state: "running", node, late: null, recovers: recovers + 1, seen: world.lun } as const;
    return settle(put(world, who, born), who);
  };
  if (rollsBack) {
    const to = start(true);
    moves.push({
      who,
      optional: true,
      what: () => "prmig rollback, once it was handed over",
      to: async () => ({ ...await to(), rolledBack: true }),
    });
    return;
  }
  // Whoever runs the cluster knows whether it was fenced.
  const isAsked = isUndecided(scene, world) && who === "source" && state === "ended" && recovers <= MAX_RECOVERS;
  if (isAsked && !isFenced(world)) {
    moves.push({ who, optional: true, what: () => "prmig rollback, by a person who knows", to: start(true) });
  }
  if (recovers >= MAX_RECOVERS) return;
  // After a recover that could not finish, another one makes sense only once something has changed; trouble
  // that has passed counts as that.
  const untroubled = world.left.faults === scene.variant.budget.faults;
  if (state === "ended" && untroubled && recovers > 0 && side.seen === world.lun && since === world.now) return;
  moves.push({ who, optional: true, what: () => "prmig recover", to: start(false) });
}

/** The source was stopped while it evicted, and nothing on the LUN tells whether it did or a third party fenced the guest. */
export function isUndecided({ luns }: Scene, { lun, source }: World): boolean {
  const { a, b } = luns.facts(lun).keys;
  return source.journal?.phase === "evicting" && !b && a !== undefined && a.some(isToken);
}
