/**
 * How a recovered hand-over ended, for people and for programs.
 *
 * @module
 */
import type { FoundJournal } from "../../migrate/journal.ts";
import type { Ending, Leg } from "../../migrate/run.ts";
import { truthOf } from "../../migrate/truth.ts";
import type { CommandContext } from "../context.ts";
import { resultJson } from "../hand_over/result.ts";

/** Tells how one hand-over ended. */
export function tellEnding(
  { entry: { handOver, role } }: FoundJournal,
  ending: Ending,
  legs: readonly Leg[],
  { out, json }: CommandContext,
): void {
  if (json) return out.json(resultJson(handOver, role, legs, ending));
  out.line(`${handOver} (${role}): ${ENDINGS[ending.outcome]}`);
  legs.forEach(({ lun }, i) => out.line(`  ${lun.device}: ${truthOf(ending.pictures[i]!)}`));
}

const ENDINGS = {
  moved: "moved: the destination holds",
  restored: "undone: the source holds as before",
  fenced: "fenced: a third party removed the guest's key; nothing was brought back",
  dropped: "the guest gave up its registration itself; there was nothing left to move",
  nothing: "nothing had happened",
} as const;
