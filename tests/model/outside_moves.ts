/**
 * What comes from outside of both sides: a third party, the guest, the link, time.
 *
 * @module
 */
import type { PrOutRequest } from "../../lib/pr/commands.ts";
import type { PrType } from "../../lib/pr/types.ts";
import { preemptType } from "../../lib/migrate/offer.ts";
import { isToken } from "../../lib/migrate/tokens.ts";
import { classify } from "../../lib/scsi/outcome.ts";
import type { Answer } from "./process.ts";
import { FAULTS, K2, otherType, type Scene, T_KEY } from "./scene.ts";
import { NOTHING_LATE, type Side, type World } from "./world.ts";
import type { Move } from "./move.ts";
import { answer, put, spend } from "./steps.ts";
import { isLongSleep } from "./side_moves.ts";

export function fenceMoves(scene: Scene, world: World, moves: Move[]): void {
  if (world.fence !== "due" || world.now < (scene.variant.troubleFromMs ?? 0)) return;
  const type = preemptType(scene.offer);
  const { to, reply } = scene.luns.prOut(world.lun, 0, "t", { action: "preempt", rk: T_KEY, sark: world.key, type });
  const outcome = classify(reply).kind;
  if (outcome !== "good") return; // the agent finds no K and comes again; the invariants judge whether K may be missing
  moves.push({
    who: "third party",
    optional: true,
    what: () => "PREEMPT of the guest's key",
    to: () => {
      const [before, after] = [scene.luns.facts(world.lun, 0).keys, scene.luns.facts(to, 0).keys];
      const hit = ["a", "b"].some((name) => before[name] && before[name].length !== (after[name]?.length ?? 0));
      const primed = before.a?.some(isToken) && before.b && !after.b;
      const fence = !hit ? "missed" : before.a ? "fenced" : "fenced after the move";
      return { ...world, lun: to, fence, residual: primed ? "primed" : world.residual };
    },
  });
}

/**
 * The guest, through the source's first path, as long as it runs; and the moment from which on it stands still. It does not
 * act between a look of the source and the command that follows it (docs/hand-over.md, "While prepared").
 */
export function guestMoves(scene: Scene, world: World, moves: Move[]): void {
  const { guest, source, key, type } = world;
  const { resumes = false } = scene.variant;
  const isOn = resumes && guest === "still" && ["aborting", "evicting"].includes(source.journal?.phase ?? "");
  if (guest !== "due" && guest !== "acted" && !isOn) return;
  const { node, state } = source;
  const waiting = node?.ops.find((op) => op.kind === "next");
  if (state === "running" && waiting && !isOn) {
    const opens: Answer = {
      now: world.now,
      name: `${world.now}:gate`,
      value: { record: "quiet" },
      gate: true,
    };
    const to = (): Promise<World> =>
      answer({ ...put(world, "source", { seen: world.lun }), guest: "still" }, "source", waiting, opens);
    moves.push({ who: "guest", what: () => "stands still: the gate opens", to });
  }
  if (guest !== "due" && !isOn || resumes && !isOn) return;
  if (state === "running" && node?.ops.some((op) => op.kind === "command")) return;
  const act = (lun: number, request: PrOutRequest): number | null => {
    const { to, reply } = scene.luns.prOut(lun, 0, "a", request);
    return classify(reply).kind === "good" ? to : null;
  };
  const aptpl = scene.variant.ptpl;
  const rekeys = scene.variant.guest === "re-keys";
  const first = act(
    world.lun,
    rekeys ? { action: "register", rk: key, sark: K2, aptpl } : { action: "release", rk: key, type: type as PrType },
  );
  const becomes = scene.variant.becomes ?? otherType(type);
  const isDone = rekeys || first === null || becomes === 0;
  const lun = isDone ? first : act(first, { action: "reserve", rk: key, type: becomes });
  if (lun === null) return;
  const after: World = {
    ...world,
    lun,
    guest: resumes ? "quiet" : "acted",
    ...rekeys ? { key: K2 } : { type: becomes },
  };
  moves.push({
    who: "guest",
    optional: true,
    what: () => rekeys ? "REGISTER, K -> L" : becomes === 0 ? "RELEASE" : `RELEASE, RESERVE of type ${becomes}`,
    to: () => after,
  });
}

export function linkMoves(
  { variant: { kinds = FAULTS, troubleFromMs = 0 } }: Scene,
  world: World,
  moves: Move[],
): void {
  if (world.left.faults === 0 || world.now < troubleFromMs || !kinds.includes("link") || world.link !== "open") return;
  const talking = (["source", "destination"] as const).every((who) =>
    world[who].state === "running" && world[who].node!.tree.duplex
  );
  if (!talking) return;
  for (const link of ["broken", "silent"] as const) {
    moves.push({
      who: "link",
      optional: true,
      what: () => link === "broken" ? "breaks, both sides are told" : "breaks, nobody is told",
      to: () => {
        const poorer = spend(world, "faults");
        return { ...put(put(poorer, "source", { inbox: [] }), "destination", { inbox: [] }), link };
      },
    });
  }
}

export function timeMoves({ variant: { jumpMs = 5000 } }: Scene, world: World, moves: Move[]): void {
  const { source, destination } = world;
  const waits = ({ node }: Side): boolean =>
    node !== null && node.ops.length > 0 && node.ops.every((op) => op.kind === "next" || isLongSleep(op));
  if (source.state === "running" && !waits(source)) return;
  if (!waits(source) && !waits(destination)) return;
  const forced = moves.every((move) => move.optional);
  if (!forced && world.left.jumps === 0) return;
  moves.push({
    who: "time",
    what: () => `${jumpMs} ms pass`,
    to: () => {
      const arrived = put(put(world, "source", { late: NOTHING_LATE }), "destination", { late: NOTHING_LATE });
      return { ...(forced ? arrived : spend(arrived, "jumps")), now: world.now + jumpMs };
    },
  });
}
