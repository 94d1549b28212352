/**
 * What may happen next in a world: one thing at a time, everything that may.
 *
 * Time. Commands, journal writes and messages take none; deadlines pass by jumps, which may come whenever the source waits
 * for something. That is the promise the protocol is built on (docs/hand-over.md, "Two clocks"):
 * a source that has begun to commit or to restore gets on with it, and a command that was on its way when its process died
 * arrives before a deadline passes, or never. A destination may be held up anywhere, for any time.
 *
 * Polling. A wait that brings nothing new would repeat itself for ever, so it ends only when the LUN has changed since
 * the side last looked, when a message is there, or when time has passed.
 *
 * @module
 */
import { PrmigError } from "../../lib/errors.ts";
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import type { Message } from "../../lib/migrate/messages.ts";
import type { PrOutRequest } from "../../lib/pr/commands.ts";
import type { PrType } from "../../lib/pr/types.ts";
import { decodePrCdb, PR_OUT_ACTION } from "../../lib/pr/cdb.ts";
import { describeCommand, describeReply } from "../../lib/pr/describe.ts";
import type { Reply } from "../../lib/pr/nexus.ts";
import { decodePrOut } from "../../lib/pr/pr_out.ts";
import { preemptType } from "../../lib/migrate/offer.ts";
import { classify } from "../../lib/scsi/outcome.ts";
import type { Answer, Node, Op } from "./process.ts";
import { type Fault, FAULTS, K, K2, otherType, type Scene, T_KEY, type Who } from "./scene.ts";
import { isClosed, isFenced, numberOf, other, type Side, type World } from "./world.ts";

/** A wait of this time outlasts a PERSISTENT RESERVE OUT that the other side has decided to send. */
const OUTLASTS_MS = 500;
const MAX_RECOVERS = 3;

/** One thing that may happen. */
export interface Move {
  readonly who: Who | "third party" | "guest" | "time" | "link";
  /** In words, for a trace. */
  readonly what: () => string;
  /** It may as well never happen: trouble, a person at work. What is not optional happens before time passes. */
  readonly optional?: boolean;
  readonly to: () => World | Promise<World>;
}

type Command = Extract<Op, { kind: "command" }>;

const TIMED_OUT: Reply = {
  status: 0,
  sense: new Uint8Array(),
  dataIn: new Uint8Array(),
  hostStatus: 0x03,
  driverStatus: 0x06,
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

/** Everything that may happen next. */
export function movesOf(scene: Scene, world: World): Move[] {
  const moves: Move[] = [];
  // What touches nothing but its own side's disk may as well happen now: nobody else can tell the difference.
  for (const who of ["source", "destination"] as const) {
    if (world[who].node?.op?.kind !== "write") continue;
    sideMoves(scene, world, who, moves);
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
  if (side.late) lateMoves(scene, world, who, side.late, moves);
  if (side.state === "running") {
    runningMoves(scene, world, who, side.node!, moves);
    if (world.left.crashes > 0) crashMoves(scene, world, who, side.node!.op!, moves);
  } else recoverMoves(scene, world, who, moves);
}

function runningMoves(scene: Scene, world: World, who: Who, node: Node, moves: Move[]): void {
  const op = node.op!;
  const { now } = world;
  const { kinds = FAULTS, faultsFromMs = 0 } = scene.variant;
  const faults = (kind: Fault): boolean => world.left.faults > 0 && now >= faultsFromMs && kinds.includes(kind);
  switch (op.kind) {
    case "command": {
      moves.push({ who, what: () => said(scene, world, op), to: () => command(scene, world, who, op) });
      if (!faults(isPrOut(op) ? "timeout" : "unreadable")) return;
      const failing = spend(world, "faults");
      if (isPrOut(op)) {
        moves.push({
          who,
          optional: true,
          what: () => `${describe(scene, op)} -> timed out, on its way`,
          to: () => {
            const away = put(failing, who, { late: op });
            return answer(away, who, { now, name: `${now}:timeout`, value: TIMED_OUT });
          },
        });
      } else {
        const failed = { now, name: `${now}:gone`, value: null, failure: PATH_GONE };
        const what = (): string => `${describe(scene, op)} -> path gone`;
        moves.push({ who, optional: true, what, to: () => answer(failing, who, failed) });
      }
      return;
    }
    case "write": {
      moves.push({
        who,
        what: () => `journal: ${inWords(op.entry)}`,
        to: () => answer(put(world, who, { journal: op.entry }), who, { now, name: `${now}:ok`, value: null }),
      });
      if (!faults("disk")) return;
      const failed = { now, name: `${now}:full`, value: null, failure: DISK_FULL };
      const to = (): Promise<World> => answer(spend(world, "faults"), who, failed);
      moves.push({ who, optional: true, what: () => "journal: disk full", to });
      return;
    }
    case "offer":
      moves.push({ who, what: () => "sends the offer", to: () => offer(scene, world, who) });
      return;
    case "send":
      moves.push({ who, what: () => `says ${inWordsMessage(op.message)}`, to: () => send(world, who, op.message) });
      return;
    case "sleep":
      if (isLongSleep(op) ? now - node.now >= op.ms : op.ms < OUTLASTS_MS || !sends(world[other(who)])) {
        const arrived = put(world, who, { late: null });
        const after = op.ms < OUTLASTS_MS ? arrived : put(arrived, other(who), { late: null });
        moves.push({
          who,
          what: () => `waited ${op.ms} ms`,
          to: () => answer(after, who, { now, name: `${now}:slept`, value: null }),
        });
      }
      return;
    case "next":
      nextMoves(world, who, node, moves);
      interruptMoves(world, who, moves);
  }
}

function sends({ node }: Side): boolean {
  return node?.op?.kind === "command" && isPrOut(node.op);
}

function nextMoves(world: World, who: Who, node: Node, moves: Move[]): void {
  const side = world[who];
  const { now } = world;
  const [message, ...inbox] = side.inbox;
  const changed = side.seen !== world.lun || now > node.now;
  const awake = { seen: world.lun };
  if (node.tree.duplex && message) {
    moves.push({
      who,
      what: () => `hears ${inWordsMessage(message)}`,
      to: () => answer(put(world, who, { inbox }), who, { now, name: `${now}:m${numberOf(message)}`, value: message }),
    });
  }
  const closed = node.tree.duplex && !message && world.link !== "silent" &&
    (world.link === "broken" || world[other(who)].state === "dead" || world[other(who)].state === "ended");
  if (closed && (changed || !side.toldClosed)) {
    moves.push({
      who,
      what: () => "hears that the link is closed",
      to: () =>
        answer(put(world, who, { ...awake, toldClosed: true }), who, {
          now,
          name: `${now}:closed`,
          value: { record: "closed" },
        }),
    });
  } else if (!closed && changed) {
    moves.push({
      who,
      what: () => "wakes up",
      to: () => answer(put(world, who, awake), who, { now, name: `${now}:quiet`, value: { record: "quiet" } }),
    });
  }
}

/** Ctrl-C: a side notices it when it next looks up from a wait. */
function interruptMoves(world: World, who: Who, moves: Move[]): void {
  if (!world.left.interrupts) return;
  const { now } = world;
  moves.push({
    who,
    optional: true,
    what: () => "is INTERRUPTED",
    to: () => {
      const poorer = put(spend(world, "interrupts"), who, { seen: world.lun });
      return answer(poorer, who, { now, name: `${now}:interrupt`, value: { record: "quiet" }, interrupt: true });
    },
  });
}

function crashMoves(scene: Scene, world: World, who: Who, op: Op, moves: Move[]): void {
  const poorer = spend(world, "crashes");
  const die = (before: World, late: Command | null = null): World => {
    const residual = who === "source" && before.residual === "armed" ? "yes" : before.residual;
    // What it had seen died with it.
    const nothing = { node: null, inbox: [], toldClosed: false, sawFenced: false, seen: -1 };
    const dead = { ...nothing, state: "dead", since: before.now, late } as const;
    return { ...put(before, who, dead), residual };
  };
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

function lateMoves(scene: Scene, world: World, who: Who, op: Command, moves: Move[]): void {
  const result = scene.luns.execute(world.lun, op.nexus, op.cdb, op.data);
  if (result.to === world.lun) return;
  moves.push({
    who,
    optional: true,
    what: () => `${describe(scene, op)} arrives late -> ${describeReply(op.cdb, result.reply)}`,
    to: () => carriedOut(scene, put(world, who, { late: null }), who, op, result.reply, result.to),
  });
}

function recoverMoves(scene: Scene, world: World, who: Who, moves: Move[]): void {
  const side = world[who];
  const { journal, state, recovers, since } = side;
  if (state === "unborn" || journal === null) return;
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
  if (isUndecided(scene, world) && who === "source" && state === "ended" && !isFenced(world)) {
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
export function isUndecided({ luns, offer }: Scene, { lun, source }: World): boolean {
  const { a, b } = luns.facts(lun).keys;
  return source.journal?.phase === "evicting" && !b && a !== undefined && a.includes(offer.commitToken);
}

function fenceMoves(scene: Scene, world: World, moves: Move[]): void {
  if (world.fence !== "due") return;
  const type = preemptType(scene.offer);
  const { to, reply } = scene.luns.prOut(world.lun, "t", { action: "preempt", rk: T_KEY, sark: world.key, type });
  const outcome = classify(reply).kind;
  if (outcome !== "good") return; // the agent finds no K and comes again; the invariants judge whether K may be missing
  moves.push({
    who: "third party",
    optional: true,
    what: () => "PREEMPT of the guest's key",
    to: () => {
      const [before, after] = [scene.luns.facts(world.lun).keys, scene.luns.facts(to).keys];
      const hit = ["a", "b"].some((name) => before[name] && before[name].length !== (after[name]?.length ?? 0));
      const primed = before.a?.includes(scene.offer.commitToken) && before.b && !after.b;
      const fence = !hit ? "missed" : before.a ? "fenced" : "fenced after the move";
      return { ...world, lun: to, fence, residual: primed ? "primed" : world.residual };
    },
  });
}

/**
 * The guest, through the source's first path, as long as it runs; and the moment from which on it stands still. It does not
 * act between a look of the source and the command that follows it (docs/hand-over.md, "While prepared").
 */
function guestMoves(scene: Scene, world: World, moves: Move[]): void {
  const { guest, source, key, type } = world;
  if (guest !== "due" && guest !== "acted") return;
  const { node, state } = source;
  if (state === "running" && node?.op?.kind === "next") {
    const opens: Answer = {
      now: world.now,
      name: `${world.now}:gate`,
      value: { record: "quiet" },
      gate: true,
    };
    const to = (): Promise<World> =>
      answer({ ...put(world, "source", { seen: world.lun }), guest: "still" }, "source", opens);
    moves.push({ who: "guest", what: () => "stands still: the gate opens", to });
  }
  if (guest !== "due" || state === "running" && node?.op?.kind === "command") return;
  const act = (lun: number, request: PrOutRequest): number | null => {
    const { to, reply } = scene.luns.prOut(lun, "a", request);
    return classify(reply).kind === "good" ? to : null;
  };
  const aptpl = scene.variant.ptpl;
  const rekeys = scene.variant.guest === "re-keys";
  const first = act(
    world.lun,
    rekeys ? { action: "register", rk: key, sark: K2, aptpl } : { action: "release", rk: key, type: type as PrType },
  );
  const lun = rekeys || first === null ? first : act(first, { action: "reserve", rk: key, type: otherType(type) });
  if (lun === null) return;
  const after: World = { ...world, lun, guest: "acted", ...rekeys ? { key: K2 } : { type: otherType(type) } };
  moves.push({
    who: "guest",
    optional: true,
    what: () => rekeys ? "REGISTER, K -> L" : "RELEASE, RESERVE of another type",
    to: () => after,
  });
}

function linkMoves({ variant: { kinds = FAULTS, faultsFromMs = 0 } }: Scene, world: World, moves: Move[]): void {
  if (world.left.faults === 0 || world.now < faultsFromMs || !kinds.includes("link") || world.link !== "open") return;
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

function timeMoves({ variant: { jumpMs = 5000 } }: Scene, world: World, moves: Move[]): void {
  const { source, destination } = world;
  const waits = (side: Side): boolean => side.node?.op?.kind === "next" || isLongSleep(side.node?.op);
  if (source.state === "running" && !waits(source)) return;
  if (!waits(source) && !waits(destination)) return;
  const forced = moves.every((move) => move.optional);
  if (!forced && world.left.jumps === 0) return;
  moves.push({
    who: "time",
    what: () => `${jumpMs} ms pass`,
    to: () => {
      const arrived = put(put(world, "source", { late: null }), "destination", { late: null });
      return { ...(forced ? arrived : spend(arrived, "jumps")), now: world.now + jumpMs };
    },
  });
}

function isLongSleep(op: Op | null | undefined): boolean {
  return op?.kind === "sleep" && op.ms >= 1000;
}

async function command(scene: Scene, world: World, who: Who, op: Command): Promise<World> {
  const { to, reply, replyName } = scene.luns.execute(world.lun, op.nexus, op.cdb, op.data);
  const after = carriedOut(scene, world, who, op, reply, to);
  const { now } = world;
  const looked = isPrOut(op) ? {} : { sawFenced: world.fence === "fenced" };
  return await answer(put(after, who, { seen: to, ...looked }), who, {
    now,
    name: `${now}:${replyName}`,
    value: reply,
  });
}

/** The world once a side's command has been carried out, whoever still waits for the reply. */
function carriedOut(scene: Scene, world: World, who: Who, op: Command, reply: Reply, to: number): World {
  let { gap, residual } = world;
  const { key } = world;
  const action = op.cdb[1]! & 0x1f;
  const list = isPrOut(op) ? decodePrOut(action, op.data as Uint8Array) : null;
  // LIO may report a REGISTER that worked as 02/08/00: what counts is what it did.
  if (list && who === "source" && to !== world.lun && !isUnitAttention(reply)) {
    const { commitToken } = scene.offer;
    const restores = action === PR_OUT_ACTION.register && list.rk === commitToken && list.sark === key;
    const drops = action === PR_OUT_ACTION.register && list.rk === key && list.sark === 0n;
    if (action === PR_OUT_ACTION.preempt && list.rk === commitToken && list.sark === key) gap = true;
    if (restores) gap = false;
    if (restores && residual === "primed") residual = world.source.state === "running" ? "armed" : "yes";
    if (drops && residual === "armed" && !scene.luns.facts(to).keys.a?.includes(key)) residual = "no";
  }
  return { ...world, lun: to, gap, residual };
}

function isUnitAttention(reply: Reply): boolean {
  return classify(reply).kind === "unitAttention";
}

async function offer(scene: Scene, world: World, who: Who): Promise<World> {
  const { now } = world;
  const sent = await answer(world, who, { now, name: `${now}:ok`, value: null });
  const node = await scene.destination(now).root();
  return put(sent, "destination", { state: "running", node, seen: world.lun });
}

function send(world: World, who: Who, message: Message): World | Promise<World> {
  const { now } = world;
  const duplex = world[who].node!.tree.duplex;
  const heard = duplex && world.link === "open" && world[other(who)].state === "running" &&
    world[other(who)].node!.tree.duplex;
  const value = duplex && (heard || world.link === "silent");
  return answer(heard ? deliver(world, who, message) : world, who, { now, name: `${now}:${value}`, value });
}

function deliver(world: World, from: Who, message: Message): World {
  const to = other(from);
  return put(world, to, { inbox: [...world[to].inbox, message] });
}

/** Gives a side's process the answer it waits for. */
async function answer(world: World, who: Who, given: Answer): Promise<World> {
  const before = world[who].node!;
  const known = before.tree.after(before, given);
  const node = known instanceof Promise ? await known : known;
  return settle(put(world, who, { node }), who);
}

function settle(world: World, who: Who): World {
  const { node, inbox } = world[who];
  if (!node?.end) return world;
  return put(world, who, { state: "ended", since: world.now, inbox: inbox.length > 0 ? [] : inbox });
}

function put(world: World, who: Who, patch: Partial<Side>): World {
  return { ...world, [who]: { ...world[who], ...patch } };
}

function spend(world: World, what: keyof World["left"]): World {
  return { ...world, left: { ...world.left, [what]: (world.left[what] ?? 0) - 1 } };
}

/** True for a PERSISTENT RESERVE OUT. */
export function isPrOut(op: Command): boolean {
  return op.cdb[0] === 0x5f;
}

function said(scene: Scene, world: World, op: Command): string {
  const { reply } = scene.luns.execute(world.lun, op.nexus, op.cdb, op.data);
  const answer = isPrOut(op) ? describeReply(op.cdb, reply) : classify(reply).kind;
  return `${describe(scene, op)} -> ${answer}`;
}

function describe(scene: Scene, op: Command): string {
  const [, port] = op.nexus.split("#");
  const via = port ? `path ${port}: ` : "";
  const words = decodePrCdb(op.cdb).kind === "in" ? "reads the LUN" : describeCommand(op.cdb, op.data);
  return via + withNames(scene, words.replace("PERSISTENT RESERVE OUT, ", ""));
}

/** Keys by the names the documents give them. */
export function withNames({ offer }: Scene, text: string): string {
  const names = new Map([[K, "K"], [K2, "L"], [offer.commitToken, "X"], [T_KEY, "t"], [0n, "0"]]);
  if (offer.destinationToken !== null) names.set(offer.destinationToken, "Y");
  return text.replaceAll(/0x[0-9a-f]{16}/g, (digits) => names.get(BigInt(digits)) ?? digits);
}

function inWords({ phase, committed, outcome }: JournalEntry): string {
  return `${phase}${outcome ? ` ${outcome}` : ""}${committed ? ", committed" : ""}`;
}

function inWordsMessage(message: Message): string {
  return "reason" in message ? `${message.record} (${message.reason})` : message.record;
}
