/**
 * From one world to the next: a command is carried out, a message delivered, a process given what it waits for.
 *
 * @module
 */
import type { Message } from "../../lib/migrate/messages.ts";
import { isToken } from "../../lib/migrate/tokens.ts";
import { PR_OUT_ACTION } from "../../lib/pr/cdb.ts";
import type { Reply } from "../../lib/pr/nexus.ts";
import { decodePrOut } from "../../lib/pr/pr_out.ts";
import { classify } from "../../lib/scsi/outcome.ts";
import type { Command } from "./luns.ts";
import type { Answer, Op } from "./process.ts";
import type { Scene, Who } from "./scene.ts";
import { movedOn, other, type Side, type World } from "./world.ts";

/** True for a PERSISTENT RESERVE OUT. */
export function isPrOut(op: Command): boolean {
  return op.cdb[0] === 0x5f;
}

export async function command(scene: Scene, world: World, who: Who, op: Command): Promise<World> {
  const { to, reply, replyName } = scene.luns.execute(world.lun, op);
  const after = carriedOut(scene, world, who, op, reply, to);
  const { now } = world;
  const looked = isPrOut(op) || op.lun > 0 ? {} : { sawFenced: world.fence === "fenced" };
  return await answer(put(after, who, { seen: scene.luns.seenAnew(world[who].seen, op.lun, to), ...looked }), who, op, {
    now,
    name: `${now}:${replyName}`,
    value: reply,
  });
}

/** The world once a side's command has been carried out, whoever still waits for the reply. */
export function carriedOut(scene: Scene, world: World, who: Who, op: Command, reply: Reply, to: number): World {
  let { gap, residual } = world;
  const { lun } = op;
  const { key } = movedOn(world, lun, scene.offer);
  const action = op.cdb[1]! & 0x1f;
  const list = isPrOut(op) ? decodePrOut(action, op.data as Uint8Array) : null;
  // LIO may report a REGISTER that worked as 02/08/00: what counts is what it did.
  if (list && who === "source" && to !== world.lun && !isUnitAttention(reply)) {
    const restores = action === PR_OUT_ACTION.register && isToken(list.rk) && list.sark === key;
    const drops = action === PR_OUT_ACTION.register && list.rk === key && list.sark === 0n;
    if (action === PR_OUT_ACTION.preempt && isToken(list.rk) && list.sark === key) gap |= 1 << lun;
    if (restores) gap &= ~(1 << lun);
    const isFencedHere = lun === 0;
    if (restores && isFencedHere && residual === "primed") {
      residual = world.source.state === "running" ? "armed" : "yes";
    }
    if (drops && isFencedHere && residual === "armed" && !scene.luns.facts(to, lun).keys.a?.includes(key)) {
      residual = "no";
    }
  }
  return { ...world, lun: to, gap, residual };
}

function isUnitAttention(reply: Reply): boolean {
  return classify(reply).kind === "unitAttention";
}

export async function offer(scene: Scene, world: World, who: Who, op: Op): Promise<World> {
  const { now } = world;
  const sent = await answer(world, who, op, { now, name: `${now}:ok`, value: null });
  const node = await scene.destination(now).root();
  return put(sent, "destination", { state: "running", node, seen: world.lun });
}

export function send(world: World, who: Who, op: Extract<Op, { kind: "send" }>): World | Promise<World> {
  const { now } = world;
  const { message } = op;
  const duplex = world[who].node!.tree.duplex;
  const heard = duplex && world.link === "open" && world[other(who)].state === "running" &&
    world[other(who)].node!.tree.duplex;
  const value = duplex && (heard || world.link === "silent");
  return answer(heard ? deliver(world, who, message) : world, who, op, { now, name: `${now}:${value}`, value });
}

export function deliver(world: World, from: Who, message: Message): World {
  const to = other(from);
  return put(world, to, { inbox: [...world[to].inbox, message] });
}

/** Gives a side's process the answer to one of its requests. */
export async function answer(world: World, who: Who, op: Op, given: Answer): Promise<World> {
  const before = world[who].node!;
  const known = before.tree.after(before, op, given);
  const node = known instanceof Promise ? await known : known;
  return settle(put(world, who, { node }), who);
}

export function settle(world: World, who: Who): World {
  const { node, inbox } = world[who];
  if (!node?.end) return world;
  return put(world, who, { state: "ended", since: world.now, inbox: inbox.length > 0 ? [] : inbox });
}

export function put(world: World, who: Who, patch: Partial<Side>): World {
  return { ...world, [who]: { ...world[who], ...patch } };
}

export function spend(world: World, what: keyof World["left"]): World {
  return { ...world, left: { ...world.left, [what]: (world.left[what] ?? 0) - 1 } };
}
