/**
 * What may happen next in a world: one thing at a time, everything that may.
 *
 * Time. Commands, journal writes and messages take none; deadlines pass by jumps, which may come whenever the source waits
 * for something. That is the promise the protocol is built on (docs/hand-over.md, "Two clocks"):
 * a source that has begun to commit or to restore gets on with it, and a command that was on its way when its process died
 * arrives before a deadline passes, or never. A destination may be held up anywhere, for any time.
 *
 * @module
 */
import type { Scene, Who } from "./scene.ts";
import { isClosed, other, type Side, type World } from "./world.ts";
import type { Move } from "./move.ts";
import type { Op } from "./process.ts";
import { OUTLASTS_MS, runningMoves } from "./side_moves.ts";
import { isPrOut } from "./steps.ts";
import { crashMoves, killed, lateMoves, recoverMoves } from "./crash_moves.ts";
import { fenceMoves, guestMoves, linkMoves, timeMoves } from "./outside_moves.ts";

/** Everything that may happen next. */
export function movesOf(scene: Scene, world: World): Move[] {
  const moves: Move[] = [];
  if (scene.variant.destinationDies && world.destination.node?.ops[0]?.kind === "next") {
    moves.push({ who: "destination", what: () => "KILLED while waiting", to: () => killed(world, "destination") });
    return moves;
  }
  // What touches nothing but its own side may as well happen now: nobody else can tell the difference.
  for (const who of ["source", "destination"] as const) {
    const own = world[who].node?.ops.find((op) => isItsOwnAffair(world[who], op));
    if (!own) continue;
    runningMoves(scene, world, who, world[who].node!, own, moves);
    endings(scene, world, who, moves);
    return moves;
  }
  sideMoves(scene, world, "source", moves);
  sideMoves(scene, world, "destination", moves);
  fenceMoves(scene, world, moves);
  guestMoves(scene, world, moves);
  linkMoves(scene, world, moves);
  timeMoves(scene, world, moves);
  return moves;
}

function sideMoves(scene: Scene, world: World, who: Who, moves: Move[]): void {
  const side = world[who];
  for (const op of side.late) lateMoves(scene, world, who, op, moves);
  if (side.state !== "running") return recoverMoves(scene, world, who, moves);
  const ops = isAlone(scene, world, who) ? side.node!.ops.slice(0, 1) : inOrder(side.node!.ops);
  for (const op of ops) runningMoves(scene, world, who, side.node!, op, moves);
  endings(scene, world, who, moves);
}

function endings(scene: Scene, world: World, who: Who, moves: Move[]): void {
  const { killed: mortal = who, troubleFromMs = 0 } = scene.variant;
  if (world.left.crashes === 0 || mortal !== who || world.now < troubleFromMs) return;
  crashMoves(scene, world, who, world[who].node!.ops, moves);
}

/** It writes its journal, or pauses for a moment in which no command of its own can arrive late. */
function isItsOwnAffair({ late }: Side, op: Op): boolean {
  return op.kind === "write" || op.kind === "sleep" && op.ms < OUTLASTS_MS && late.length === 0;
}

/**
 * Of two LUNs that a side reads, the first is read first: LUNs that are alike can be exchanged, and what changes them comes in
 * any order.
 */
function inOrder(ops: readonly Op[]): readonly Op[] {
  const isRead = (op: Op): boolean => op.kind === "command" && !isPrOut(op);
  const [first] = ops.filter(isRead);
  return ops.filter((op) => op === first || !isRead(op));
}

/** Nobody else will ever touch a LUN, and no trouble comes: then one order of what it does on several of them is as good as any. */
function isAlone({ variant }: Scene, { left, fence, guest, ...sides }: World, who: Who): boolean {
  const isOver = isClosed(sides[other(who)]) && sides[other(who)].late.length === 0 && sides[who].late.length === 0;
  const isQuiet = fence !== "due" && (guest === "quiet" || guest === "still");
  return isOver && isQuiet && left.crashes === 0 && left.faults === 0 && !variant.rollback;
}
