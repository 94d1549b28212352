/**
 * The code under check, as something a model check can step through: every call it makes on its ports parks, and is
 * answered by whoever explores.
 *
 * A process is a function of the answers it gets and of nothing else. So what it does is kept as a tree: a node is a
 * process that waits for an answer (or has ended), an edge is an answer. The real code runs once for every new edge; all
 * interleavings that lead a process through the same answers share its nodes.
 *
 * Where a hand-over has several LUNs, its code works on them at once, and so waits for several answers at once: one a LUN.
 * What it does on one of them follows from what it was answered there, and from all that came before it began; so courses
 * that differ only in the order of answers of different LUNs share their nodes as well.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import type { Message } from "../../lib/migrate/messages.ts";
import type { Link, Ports, Silence } from "../../lib/migrate/ports.ts";
import type { Nexus, Reply } from "../../lib/pr/nexus.ts";

/** What a process asks of the world, and for which LUN of several; `leg` is absent where it asks for no single one. */
export type Op = Request & { readonly leg?: number };

type Request =
  | {
    readonly kind: "command";
    /** Number of the LUN. */
    readonly lun: number;
    readonly nexus: string;
    readonly cdb: Uint8Array;
    readonly data: Uint8Array | number;
  }
  | { readonly kind: "write"; readonly entry: JournalEntry }
  | { readonly kind: "offer" }
  | { readonly kind: "send"; readonly message: Message }
  | { readonly kind: "next"; readonly ms: number }
  | { readonly kind: "sleep"; readonly ms: number };

/** What the world answers. */
export type Value = Reply | Message | Silence | boolean | null;

/** An answer: a value or a failure, at a time, with a name that no different answer has. */
export interface Answer {
  /** Milliseconds on the clock of the hand-over. */
  readonly now: number;
  readonly name: string;
  readonly value: Value;
  readonly failure?: Error;
  /** From now on somebody wants the process to stop. */
  readonly interrupt?: boolean;
  /** The gate is open from now on. */
  readonly gate?: boolean;
}

/** How a process ended: `null` for success, or its error (anything but a PrmigError is a defect). */
export interface End {
  readonly error: Error | null;
}

/** The ports of a process, and a way to its nexuses. */
export interface ProcessPorts extends Ports {
  readonly offer: () => Promise<void>;
  /** Resolves when the switch may come. */
  readonly gate: Promise<void>;
  nexus(lun: number, name: string, like: Nexus): Nexus;
}

/** The code of a process. */
export type Main = (ports: ProcessPorts) => Promise<unknown>;

const currentLeg = new AsyncLocalStorage<number>();

/** LUNs of a hand-over: what is done for each of them at once is known by its number. */
export class Legs<T> extends Array<T> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  override map<U>(work: (value: T, index: number, array: T[]) => U): U[] {
    return super.map((value, index, array) => currentLeg.run(index, () => work(value, index, array)));
  }
}

/** More than the steps that any answer takes through the code until everything waits again; asking later is an error. */
const STEPS = 60;

/** One run of the code: asks, parks, is answered. */
class Instance {
  pending: readonly Op[] = [];
  end: End | null = null;
  readonly told: string[] = [];
  #now: number;
  #interrupted = false;
  readonly #gate = Promise.withResolvers<void>();
  readonly #answers = new Map<number | undefined, (answer: Answer) => void>();
  #settled = Promise.withResolvers<void>();
  #isParked = false;

  constructor(main: Main, duplex: boolean, now: number, readonly severalLegs: boolean) {
    this.#now = now;
    this.#run(main(this.#ports(duplex)));
  }

  /** Resolves once the code has parked or ended. */
  async parked(): Promise<void> {
    if (!this.severalLegs) return await this.#settled.promise;
    for (let step = 0; step < STEPS; step++) await null;
    if (this.pending.length === 0) await this.#settled.promise;
    this.#isParked = true;
  }

  async feed(leg: number | undefined, answer: Answer): Promise<void> {
    const resolve = this.#answers.get(leg);
    if (!resolve) throw new Error("an answer nobody asked for");
    this.#answers.delete(leg);
    this.pending = this.pending.filter((op) => op.leg !== leg);
    this.#settled = Promise.withResolvers();
    this.#isParked = false;
    resolve(answer);
    await this.parked();
  }

  async #run(work: Promise<unknown>): Promise<void> {
    try {
      await work;
      this.end = { error: null };
    } catch (error) {
      this.end = { error: error instanceof Error ? error : new Error(String(error)) };
    }
    this.#settled.resolve();
  }

  async #ask(request: Request): Promise<Value> {
    const leg = this.severalLegs ? currentLeg.getStore() : undefined;
    if (this.#answers.has(leg)) throw new Error(`two requests at once: ${request.kind}`);
    if (this.#isParked) throw new Error(`a request of code that was thought to wait: ${request.kind}`);
    const answered = Promise.withResolvers<Answer>();
    this.#answers.set(leg, answered.resolve);
    const op: Op = leg === undefined ? request : { ...request, leg };
    this.pending = [...this.pending, op].toSorted((a, b) => (a.leg ?? -1) - (b.leg ?? -1));
    this.#settled.resolve();
    const { now, value, failure, interrupt, gate } = await answered.promise;
    this.#now = now;
    if (interrupt) this.#interrupted = true;
    if (gate) {
      this.#gate.resolve();
      // Whoever waits for the gate learns of it before the one who asked gets the answer.
      await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))));
    }
    if (failure) throw failure;
    return value;
  }

  #ports(duplex: boolean): ProcessPorts {
    let random = 1;
    const link: Link = {
      duplex,
      send: async (message) => duplex && await this.#ask({ kind: "send", message }) as boolean,
      next: async (ms) => await this.#ask({ kind: "next", ms }) as Message | Silence,
    };
    return {
      link,
      journal: { write: async (entry) => void await this.#ask({ kind: "write", entry }) },
      clock: { now: () => this.#now, sleep: async (ms) => void await this.#ask({ kind: "sleep", ms }) },
      random: () => random++,
      report: ({ phase, text }) => void this.told.push(`${phase}: ${text}`),
      interrupted: () => this.#interrupted,
      gate: this.#gate.promise,
      offer: async () => void await this.#ask({ kind: "offer" }),
      nexus: (lun, nexus, { address, initiator }) => ({
        address,
        initiator,
        execute: async (cdb, data) => await this.#ask({ kind: "command", lun, nexus, cdb, data }) as Reply,
        close: () => {},
      }),
    };
  }
}

/** A process waiting for an answer, or ended. */
export interface Node {
  readonly id: number;
  /** What it asks, at most one thing for each LUN; nothing once it has ended. */
  readonly ops: readonly Op[];
  readonly end: End | null;
  /** Time as the process knows it. */
  readonly now: number;
  /** What it told people since its last request. */
  readonly told: readonly string[];
  readonly tree: Tree;
}

interface TreeNode extends Node {
  readonly parent: TreeNode | null;
  readonly via: { readonly leg: number | undefined; readonly answer: Answer } | null;
  /** The last node that was reached by an answer for no single LUN, and the answers for each LUN since. */
  readonly since: { readonly id: number; readonly answers: readonly string[] };
  readonly edges: Map<string, TreeNode>;
  live: Instance | null;
}

let nodes = 0;

/** Everything one process can do. */
export class Tree {
  #root: Promise<TreeNode> | undefined;
  readonly #known = new Map<string, TreeNode>();

  constructor(
    readonly duplex: boolean,
    readonly startedAt: number,
    readonly main: Main,
    readonly severalLegs = false,
  ) {}

  root(): Promise<Node> {
    return this.#root ??= this.#begin();
  }

  /** The node after an answer to one of its requests: at once when it is known. */
  after(node: Node, op: Op, answer: Answer): Node | Promise<Node> {
    const name = op.leg === undefined ? answer.name : `${op.leg}:${answer.name}`;
    return (node as TreeNode).edges.get(name) ?? this.#extend(node as TreeNode, name, op, answer);
  }

  async #begin(): Promise<TreeNode> {
    const live = this.#instance();
    await live.parked();
    const id = nodes++;
    return this.#node(id, null, null, { id, answers: [] }, live, 0);
  }

  async #extend(node: TreeNode, name: string, op: Op, answer: Answer): Promise<TreeNode> {
    const id = nodes++;
    const { leg } = op;
    // A journal is the whole hand-over's: who writes in it is not indifferent to the order.
    const ofLeg = leg !== undefined && (op.kind === "command" || op.kind === "sleep");
    const answers = ofLeg ? withAnswer(node.since.answers, leg, answer.name) : [];
    const since = ofLeg ? { id: node.since.id, answers } : { id, answers };
    const known = ofLeg ? `${since.id}/${answers.join("/")}` : "";
    let child = ofLeg ? this.#known.get(known) : undefined;
    if (!child) {
      const live = node.live ?? await this.#replay(node);
      node.live = null;
      const told = live.told.length;
      await live.feed(leg, answer);
      child = this.#node(id, node, { leg, answer }, since, live, told);
      if (ofLeg) this.#known.set(known, child);
    }
    node.edges.set(name, child);
    return child;
  }

  async #replay(node: TreeNode): Promise<Instance> {
    const steps: NonNullable<TreeNode["via"]>[] = [];
    for (let at = node; at.via && at.parent; at = at.parent) steps.push(at.via);
    const live = this.#instance();
    await live.parked();
    for (const { leg, answer } of steps.reverse()) await live.feed(leg, answer);
    return live;
  }

  #instance(): Instance {
    return new Instance(this.main, this.duplex, this.startedAt, this.severalLegs);
  }

  #node(
    id: number,
    parent: TreeNode | null,
    via: TreeNode["via"],
    since: TreeNode["since"],
    live: Instance,
    told: number,
  ): TreeNode {
    return {
      id,
      ops: live.pending,
      end: live.end,
      now: via?.answer.now ?? this.startedAt,
      told: live.told.slice(told),
      tree: this,
      parent,
      via,
      since,
      edges: new Map(),
      live: live.end ? null : live,
    };
  }
}

function withAnswer(answers: readonly string[], leg: number, name: string): string[] {
  const all = [...answers];
  all[leg] = `${all[leg] ?? ""}|${name}`;
  return all;
}
