/**
 * A course of events as a person reads it: who did what, and the LUN after each step.
 *
 * @module
 */
import type { Event } from "./explore.ts";
import { withNames } from "./words.ts";
import type { Scene } from "./scene.ts";
import type { World } from "./world.ts";
import { formatKey } from "../../lib/pr/types.ts";

const NAMES: Readonly<Record<string, string>> = { a: "S", b: "D", c: "C", t: "T" };

/** The whole course, one line an event, what a side told people below it. */
export function traceText(scene: Scene, first: World, events: readonly Event[], wrong: string): string {
  const lines = [`${scene.variant.name}: ${wrong}`, "", `     ${"".padEnd(74)} ${lunText(scene, first)}`];
  let before = first;
  events.forEach(({ who, what, after }, i) => {
    const changed = after.lun !== before.lun || after.gap !== before.gap;
    const text = `${`${who}:`.padEnd(13)}${what}`;
    lines.push(`${String(i + 1).padStart(4)} ${text.padEnd(74)} ${changed ? lunText(scene, after) : ""}`.trimEnd());
    for (const side of ["source", "destination"] as const) {
      const node = after[side].node;
      if (!node || node === before[side].node) continue;
      for (const told of node.told) lines.push(`${"".padEnd(18)}"${withNames(scene, told)}"`);
      if (node.end && !before[side].node?.end) {
        const { error } = node.end;
        lines.push(`${"".padEnd(18)}${side} ends: ${error === null ? "done" : withNames(scene, wordsOf(error))}`);
      }
    }
    before = after;
  });
  return lines.join("\n") + `\n\n  ${wrong}\n`;
}

function wordsOf(error: Error): string {
  return `${"kind" in error ? `${error.kind}, ` : ""}${error.message}`;
}

/** `S:X* D:K C:c, type 5`: keys by side, the holder starred. */
function lunText(scene: Scene, world: World): string {
  return Array.from({ length: scene.luns.count }, (_, lun) => oneLunText(scene, world, lun)).join(" ");
}

function oneLunText(scene: Scene, { lun: id, gap }: World, lun: number): string {
  const { keys, reservation, generation } = scene.luns.facts(id, lun);
  const seats = Object.keys(keys).sort().map((name) => {
    const holder = reservation !== null && ["*", name].includes(reservation.holder) ? "*" : "";
    return `${NAMES[name]}:${withNames(scene, keys[name]!.map(formatKey).join("+"))}${holder}`;
  });
  const type = reservation === null ? "not reserved" : `type ${reservation.type}`;
  return `| ${seats.join(" ")}, ${type}, generation ${generation}${gap & (1 << lun) ? ", K off" : ""}`;
}
