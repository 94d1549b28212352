/**
 * What a side that runs may do next, and what trouble it may meet with.
 *
 * Polling. A wait that brings nothing new would repeat itself for ever, so it ends only when the LUN has changed since
 * the side last looked, when a message is there, or when time has passed.
 *
 * @module
 */
import { PrmigError } from "../../lib/errors.ts";
import type { Reply } from "../../lib/pr/nexus.ts";
import type { Node, Op } from "./process.ts";
import { type Fault, FAULTS, type Scene, type Variant, type Who } from "./scene.ts";
import { NOTHING_LATE, numberOf, other, type Side, type World } from "./world.ts";
import type { Move } from "./move.ts";
import { answer, command, isPrOut, offer, put, send, spend } from "./steps.ts";
import { describe, inWords, inWordsMessage, said } from "./words.ts";

/** A wait of this time outlasts a PERSISTENT RESERVE OUT that the other side has decided to send. */
export const OUTLASTS_MS = 500;

const TIMED_OUT: Reply = {
  status: 0,
  sense: new Uint8Array(),
  dataIn: new Uint8Array(),
  hostStatus: 0x03,
  driverStatus: 0x06,
};

/** CHECK CONDITION, 05/24/00. */
const REFUSED: Reply = {
  status: 2,
  sense: new Uint8Array([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0, 0, 0]),
  dataIn: new Uint8Array(),
};

const DISK_FULL = new PrmigError("failed", {
  message: "Cannot write the journal: no space left on device",
  lun: "nothing further was sent to it",
  remedy: "make room",
});

const PATH_GONE = new PrmigError("device", {
  message: "Cannot send a command: the path is gone",
  lun: "unknown: it cannot be read",
  remedy: "look after the path",
});

export function runningMoves(scene: Scene, world: World, who: Who, node: Node, op: Op, moves: Move[]): void {
  const { now } = world;
  const { kinds = FAULTS, troubleFromMs = 0 }: Pick<Variant, "kinds" | "troubleFromMs"> = scene.variant;
  const faults = (kind: Fault): boolean => world.left.faults > 0 && now >= troubleFromMs && kinds.includes(kind);
  switch (op.kind) {
    case "command": {
      moves.push({ who, what: () => said(scene, world, op), to: () => command(scene, world, who, op) });
      if (isPrOut(op) && faults("refused")) {
        const what = (): string => `${describe(scene, op)} -> refused`;
        const refused = { now, name: `${now}:refused`, value: REFUSED };
        moves.push({ who, optional: true, what, to: () => answer(spend(world, "faults"), who, op, refused) });
      }
      if (!faults(isPrOut(op) ? "timeout" : "unreadable")) return;
      const failing = spend(world, "faults");
      if (isPrOut(op)) {
        moves.push({
          who,
          optional: true,
          what: () => `${describe(scene, op)} -> timed out, on its way`,
          to: () => {
            const away = put(failing, who, { late: [...world[who].late, op] });
            return answer(away, who, op, { now, name: `${now}:timeout`, value: TIMED_OUT });
          },
        });
      } else {
        const failed = { now, name: `${now}:gone`, value: null, failure: PATH_GONE };
        const what = (): string => `${describe(scene, op)} -> path gone`;
        moves.push({ who, optional: true, what, to: () => answer(failing, who, op, failed) });
      }
      return;
    }
    case "write": {
      moves.push({
        who,
        what: () => `journal: ${inWords(op.entry)}`,
        to: () => answer(put(world, who, { journal: op.entry }), who, op, { now, name: `${now}:ok`, value: null }),
      });
      if (!faults("disk")) return;
      const failed = { now, name: `${now}:full`, value: null, failure: DISK_FULL };
      const to = (): Promise<World> => answer(spend(world, "faults"), who, op, failed);
      moves.push({ who, optional: true, what: () => "journal: disk full", to });
      return;
    }
    case "offer":
      moves.push({ who, what: () => "sends the offer", to: () => offer(scene, world, who, op) });
      return;
    case "send":
      moves.push({ who, what: () => `says ${inWordsMessage(op.message)}`, to: () => send(world, who, op) });
      return;
    case "sleep":
      if (isLongSleep(op) ? now - node.now >= op.ms : op.ms < OUTLASTS_MS || !sends(world[other(who)])) {
        const arrived = put(world, who, { late: NOTHING_LATE });
        const after = op.ms < OUTLASTS_MS ? arrived : put(arrived, other(who), { late: NOTHING_LATE });
        moves.push({
          who,
          what: () => `waited ${op.ms} ms`,
          to: () => answer(after, who, op, { now, name: `${now}:slept`, value: null }),
        });
      }
      return;
    case "next":
      nextMoves(world, who, node, op, moves);
      interruptMoves(world, who, op, moves);
  }
}

function sends({ node }: Side): boolean {
  return node?.ops.some((op) => op.kind === "command" && isPrOut(op)) ?? false;
}

function nextMoves(world: World, who: Who, node: Node, op: Op, moves: Move[]): void {
  const side = world[who];
  const { now } = world;
  const [message, ...inbox] = side.inbox;
  const changed = side.seen !== world.lun || now > node.now;
  const awake = { seen: world.lun };
  if (node.tree.duplex && message) {
    moves.push({
      who,
      what: () => `hears ${inWordsMessage(message)}`,
      to: () =>
        answer(put(world, who, { inbox }), who, op, { now, name: `${now}:m${numberOf(message)}`, value: message }),
    });
  }
  const closed = node.tree.duplex && !message && world.link !== "silent" &&
    (world.link === "broken" || world[other(who)].state === "dead" || world[other(who)].state === "ended");
  if (closed && (changed || !side.toldClosed)) {
    moves.push({
      who,
      what: () => "hears that the link is closed",
      to: () =>
        answer(put(world, who, { ...awake, toldClosed: true }), who, op, {
          now,
          name: `${now}:closed`,
          value: { record: "closed" },
        }),
    });
  } else if (!closed && changed) {
    moves.push({
      who,
      what: () => "wakes up",
      to: () => answer(put(world, who, awake), who, op, { now, name: `${now}:quiet`, value: { record: "quiet" } }),
    });
  }
}

/** Ctrl-C: a side notices it when it next looks up from a wait. */
function interruptMoves(world: World, who: Who, op: Op, moves: Move[]): void {
  if (!world.left.interrupts) return;
  const { now } = world;
  moves.push({
    who,
    optional: true,
    what: () => "is INTERRUPTED",
    to: () => {
      const poorer = put(spend(world, "interrupts"), who, { seen: world.lun });
      return answer(poorer, who, op, { now, name: `${now}:interrupt`, value: { record: "quiet" }, interrupt: true });
    },
  });
}

export function isLongSleep(op: Op): boolean {
  return op.kind === "sleep" && op.ms >= 1000;
}
