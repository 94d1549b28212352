/**
 * Every course of events of a scene, depth first, no world twice.
 *
 * @module
 */
import type { Move } from "./move.ts";
import { movesOf } from "./moves.ts";
import { wrongAtEnd, wrongNow } from "./invariants.ts";
import { K, type Scene, setScene, type Variant } from "./scene.ts";
import { traceText } from "./trace.ts";
import { NOTHING_LATE, type Side, type World, worldKey } from "./world.ts";

/** One event of a course. */
export interface Event {
  readonly who: Move["who"];
  readonly what: string;
  readonly after: World;
}

/** A course of events that ends in something that must not be. */
export interface Violation {
  readonly wrong: string;
  /** For people: who did what, and the LUN after each step. */
  readonly trace: string;
}

/** What an exploration saw. */
export interface Explored {
  readonly worlds: number;
  readonly ends: number;
  /** Ends in which a fenced guest is back, in the one documented case. */
  readonly residual: number;
  readonly violation: Violation | null;
}

/** Thrown with the first violation. */
interface Frame {
  readonly world: World;
  readonly move: Move | null;
  readonly moves: Move[];
  next: number;
}

/** How to explore. */
export interface ExploreOptions {
  /** So many worlds at most. */
  readonly limit?: number;
  /** Told every move that is made, those to worlds already known among them. */
  readonly onMove?: (move: Move) => void;
}

/** Explores a variant to the end, or to the first violation. */
export async function explore(variant: Variant, { limit = Infinity, onMove }: ExploreOptions = {}): Promise<Explored> {
  const scene = await setScene(variant);
  const seen = new Set<string>();
  let ends = 0;
  let residual = 0;
  const first = await beginning(scene);
  seen.add(worldKey(first));
  const stack: Frame[] = [{ world: first, move: null, moves: movesOf(scene, first), next: 0 }];
  const report = (wrong: string, last?: { move: Move; world: World }): Explored => {
    const courses = stack.flatMap(({ move, world }, i) =>
      move ? [{ move, from: stack[i - 1]!.world, after: world }] : []
    );
    if (last) courses.push({ move: last.move, from: stack.at(-1)!.world, after: last.world });
    const events = courses.map(({ move, after }) => ({ who: move.who, what: move.what(), after }));
    return { worlds: seen.size, ends, residual, violation: { wrong, trace: traceText(scene, first, events, wrong) } };
  };
  while (stack.length > 0) {
    const frame = stack.at(-1)!;
    if (
      frame.next === 0 &&
      frame.moves.every((move) => move.optional && move.who !== "source" && move.who !== "destination")
    ) {
      ends++;
      if (frame.world.residual === "yes") residual++;
      const wrong = wrongAtEnd(scene, frame.world);
      if (wrong) return report(wrong);
    }
    const move = frame.moves[frame.next++];
    if (!move) {
      stack.pop();
      continue;
    }
    onMove?.(move);
    const made = move.to();
    const world = made instanceof Promise ? await made : made;
    const key = worldKey(world);
    if (seen.has(key)) continue;
    seen.add(key);
    const wrong = wrongNow(scene, frame.world, world);
    if (wrong) return report(wrong, { move, world });
    if (seen.size > limit) return { worlds: seen.size, ends, residual, violation: null };
    stack.push({ world, move, moves: movesOf(scene, world), next: 0 });
  }
  return { worlds: seen.size, ends, residual, violation: null };
}

async function beginning(scene: Scene): Promise<World> {
  const idle: Side = {
    state: "unborn",
    node: null,
    journal: null,
    seen: scene.luns.start,
    since: 0,
    toldClosed: false,
    inbox: [],
    late: NOTHING_LATE,
    recovers: 0,
    sawFenced: false,
  };
  const { budget, fence } = scene.variant;
  return {
    lun: scene.luns.start,
    now: 0,
    source: { ...idle, state: "running", node: await scene.source.root() },
    destination: idle,
    link: "open",
    left: budget,
    fence: fence ? "due" : "none",
    gap: 0,
    residual: "no",
    rolledBack: false,
    guest: scene.variant.guest ? "due" : "quiet",
    key: K,
    type: scene.variant.type,
  };
}
