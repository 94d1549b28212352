/**
 * A side is killed, its last command arrives late, and somebody runs `prmig recover` or `prmig rollback`.
 *
 * @module
 */
import { isToken } from "../../lib/migrate/tokens.ts";
import { describeReply } from "../../lib/pr/describe.ts";
import type { Command } from "./luns.ts";
import type { Op } from "./process.ts";
import type { Scene, Who } from "./scene.ts";
import { isClosed, isFenced, NOTHING_LATE, numberOf, other, type World } from "./world.ts";
import type { Move } from "./move.ts";
import { carriedOut, deliver, isPrOut, put, settle, spend } from "./steps.ts";
import { describe, inWords, inWordsMessage } from "./words.ts";

const MAX_RECOVERS = 3;

export function crashMoves(scene: Scene, world: World, who: Who, ops: readonly Op[], moves: Move[]): void {
  const poorer = spend(world, "crashes");
  const kill = (what: string, to: () => World): void =>
    void moves.push({ who, optional: true, what: () => `KILLED ${what}`, to });
  const sent = ops.filter((op) => op.kind === "command").filter(isPrOut);
  const words = sent.map((op) => describe(scene, op)).join(" and ");
  const underWay = sent.length > 0 ? ` with ${words} on its way` : "";
  const written = ops.find((op) => op.kind === "write");
  if (written) {
    kill(`before the journal was written${underWay}`, () => killed(poorer, who, sent));
    kill(
      `after journal: ${inWords(written.entry)}${underWay}`,
      () => killed(put(poorer, who, { journal: written.entry }), who, sent),
    );
  } else if (sent.length > 0) {
    kill(underWay.trimStart(), () => killed(poorer, who, sent));
  } else if (ops.some((op) => op.kind === "command")) {
    // Killed before it looks, or after: nobody can tell, and whoever looks gets to something else next.
    return;
  } else {
    const [op] = ops;
    if (op?.kind === "send" && world.link === "open" && world[other(who)].state === "running") {
      kill("before it could say more", () => killed(poorer, who));
      kill(`having said ${inWordsMessage(op.message)}`, () => killed(deliver(poorer, who, op.message), who));
    } else kill("while waiting", () => killed(poorer, who));
  }
}

/** A side killed, with commands of its own on their way, perhaps. */
export function killed(world: World, who: Who, sent: readonly Command[] = NOTHING_LATE): World {
  const residual = who === "source" && world.residual === "armed" ? "yes" : world.residual;
  // What it had seen died with it.
  const nothing = { node: null, inbox: [], toldClosed: false, sawFenced: false, seen: -1 };
  const late = [...world[who].late, ...sent];
  return { ...put(world, who, { ...nothing, state: "dead", since: world.now, late }), residual };
}

export function lateMoves(scene: Scene, world: World, who: Who, op: Command, moves: Move[]): void {
  const result = scene.luns.execute(world.lun, op);
  if (result.to === world.lun) return;
  moves.push({
    who,
    optional: true,
    what: () => `${describe(scene, op)} arrives late -> ${describeReply(op.cdb, result.reply)}`,
    to: () =>
      carriedOut(
        scene,
        put(world, who, { late: world[who].late.filter((each) => each !== op) }),
        who,
        op,
        result.reply,
        result.to,
      ),
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
    const born = { state: "running", node, late: NOTHING_LATE, recovers: recovers + 1, seen: world.lun } as const;
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
  if (source.journal?.phase !== "evicting") return false;
  return Array.from({ length: luns.count }, (_, i) => luns.facts(lun, i).keys)
    .some(({ a, b }) => !b && a !== undefined && a.some(isToken));
}
