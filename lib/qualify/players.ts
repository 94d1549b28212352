/**
 * The nexuses that take part: two at least. Pure.
 *
 * @module
 */
import type { Nexus } from "../pr/nexus.ts";
import { type Player, PLAYERS, type Scenario, type Step } from "./scenario.ts";

/** All three. */
export type Nexuses = Readonly<Record<Player, Nexus>>;

/** Two or three. */
export interface SomeNexuses {
  /** The first. */
  readonly A: Nexus;
  /** The second. */
  readonly B: Nexus;
  /** A third party, where there is one. */
  readonly C?: Nexus;
}

/** Those that take part, in order. */
export function playersOf(nexuses: SomeNexuses): (readonly [Player, Nexus])[] {
  return PLAYERS.flatMap((player) => {
    const nexus = nexuses[player];
    return nexus === undefined ? [] : [[player, nexus] as const];
  });
}

/** A player's nexus. Throws `RangeError` where it does not take part; scenarios that need it are not played then. */
export function nexusOf(nexuses: SomeNexuses, player: Player): Nexus {
  const nexus = nexuses[player];
  if (nexus === undefined) throw new RangeError(`there is no nexus ${player}`);
  return nexus;
}

/** Whether anything in a scenario is done by a player, to it, or in its name. */
export function concerns({ steps }: Scenario, player: Player): boolean {
  return steps.some((step) => stepConcerns(step, player));
}

function stepConcerns(step: Step, player: Player): boolean {
  switch (step.kind) {
    case "command":
      return step.by === player ||
        (step.act.kind === "out" && (step.act.request.to === player || !!step.act.request.naming?.includes(player)));
    case "state":
      return step.via === player || step.registered[player] !== undefined || step.held?.by === player;
    case "event":
      return step.of === player;
  }
}
