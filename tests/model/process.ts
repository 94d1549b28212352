/**
 * The code under check, as something a model check can step through: every call it makes on its ports parks, and is
 * answered by whoever explores.
 *
 * A process is a function of the answers it gets and of nothing else. So what it does is kept as a tree: a node is a
 * process that waits for an answer (or has ended), an edge is an answer. The real code runs once for every new edge; all
 * interleavings that lead a process through the same answers share its nodes.
 *
 * @module
 */
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import type { Message } from "../../lib/migrate/messages.ts";
import type { Link, Ports, Silence } from "../../lib/migrate/ports.ts";
import type { Nexus, Reply } from "../../lib/pr/nexus.ts";

/** What a process asks of the world. */
export type Op =
  | { readonly kind: "command"; readonly nexus: string; readonly cdb: Uint8Array; readonly data: Uint8Array | number }
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
  nexus(name: string, like: Nexus): Nexus;
}

/** The code of a process. */
export type Main = (ports: ProcessPorts) => Promise<unknown>;

/** One run of the code: asks, parks, is answered. */
class Instance {
  pending: Op | null = null;
  end: End | null = null;
  readonly told: string[] = [];
  #now: number;
  #interrupted = false;
  readonly #gate = Promise.withResolvers<void>();
  #answer: ((answer: Answer) => void) | null = null;
  #settled = Promise.withResolvers<void>();

  constructor(main: Main, duplex: boolean, now: number) {
    this.#now = now;
    this.#run(main(this.#ports(duplex)));
  }

  /** Resolves once the code has parked or ended. */
  parked(): Promise<void> {
    return this.#settled.promise;
  }

  async feed(answer: Answer): Promise<void> {
    const resolve = this.#answer;
    if (!resolve) throw new Error("an answer nobody asked for");
    this.#answer = null;
    this.pending = null;
    this.#settled = Promise.withResolvers();
    resolve(answer);
    await this.#settled.promise;
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

  async #ask(op: Op): Promise<Value> {
    if (this.#answer) throw new Error(`two requests at once: ${this.pending?.kind} and ${op.kind}`);
    const answered = Promise.withResolvers<Answer>();
    this.#answer = answered.resolve;
    this.pending = op;
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
      nexus: (nexus, { address, initiator }) => ({
        address,
        initiator,
        execute: async (cdb, data) => await this.#ask({ kind: "command", nexus, cdb, data }) as Reply,
        close: () => {},
      }),
    };
  }
}

/** A process waiting for an answer, or ended. */
export interface Node {
  readonly id: number;
  /** What it asks; `null` once it has ended. */
  readonly op: Op | null;
  readonly end: End | null;
  /** Time as the process knows it. */
  readonly now: number;
  /** What it told people since its last request. */
  readonly told: readonly string[];
  readonly tree: Tree;
}

interface TreeNode extends Node {
  readonly parent: TreeNode | null;
  readonly via: Answer | null;
  readonly edges: Map<string, TreeNode>;
  live: Instance | null;
}

let nodes = 0;

/** Everything one process can do. */
export class Tree {
  #root: Promise<TreeNode> | undefined;
  /** How often the code had to be run anew to reach a node again. */
  static replays = 0;

  constructor(readonly duplex: boolean, readonly startedAt: number, readonly main: Main) {}

  root(): Promise<Node> {
    return this.#root ??= this.#begin();
  }

  /** The node after an answer: at once when it is known. */
  after(node: Node, answer: Answer): Node | Promise<Node> {
    return (node as TreeNode).edges.get(answer.name) ?? this.#extend(node as TreeNode, answer);
  }

  async #begin(): Promise<TreeNode> {
    const live = new Instance(this.main, this.duplex, this.startedAt);
    await live.parked();
    return this.#node(null, null, live, 0);
  }

  async #extend(node: TreeNode, answer: Answer): Promise<TreeNode> {
    const live = node.live ?? await this.#replay(node);
    node.live = null;
    const told = live.told.length;
    await live.feed(answer);
    const child = this.#node(node, answer, live, told);
    node.edges.set(answer.name, child);
    return child;
  }

  async #replay(node: TreeNode): Promise<Instance> {
    Tree.replays++;
    const answers: Answer[] = [];
    for (let at = node; at.via && at.parent; at = at.parent) answers.push(at.via);
    const live = new Instance(this.main, this.duplex, this.startedAt);
    await live.parked();
    for (const answer of answers.reverse()) await live.feed(answer);
    return live;
  }

  #node(parent: TreeNode | null, via: Answer | null, live: Instance, told: number): TreeNode {
    return {
      id: nodes++,
      op: live.pending,
      end: live.end,
      now: via?.now ?? this.startedAt,
      told: live.told.slice(told),
      tree: this,
      parent,
      via,
      edges: new Map(),
      live: live.end ? null : live,
    };
  }
}
