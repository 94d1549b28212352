/**
 * The LUNs of a hand-over, one or several, as one numbered state: what is done to one of them leaves the others alone.
 *
 * @module
 */
import type { PrOutRequest } from "../../lib/pr/commands.ts";
import type { LunModel } from "../../lib/pr/sim/model.ts";
import type { NexusId } from "../../lib/pr/sim/nexus_id.ts";
import { type Done, type Facts, LunTable } from "./lun_table.ts";
import type { Op } from "./process.ts";

/** A command as a process sends it. */
export type Command = Extract<Op, { kind: "command" }>;

/** All states of the LUNs that an exploration has met. */
export class Luns {
  readonly count: number;
  readonly start: number;
  readonly #tables: readonly LunTable[];
  readonly #states: number[][] = [];
  readonly #ids = new Map<string, number>();

  constructor(models: readonly LunModel[]) {
    this.count = models.length;
    this.#tables = models.map(() => new LunTable());
    const ids = models.map((model, lun) => this.#tables[lun]!.idOf(model));
    this.start = this.count === 1 ? ids[0]! : this.#idOf(ids);
  }

  /** Carries a command out on its LUN. */
  execute(from: number, { lun, nexus, cdb, data }: Command): Done {
    const done = this.#tables[lun]!.execute(this.#stateOf(from, lun), nexus, cdb, data);
    return { ...done, to: this.#moved(from, lun, done.to) };
  }

  prOut(from: number, lun: number, nexus: NexusId, request: PrOutRequest): Done {
    const done = this.#tables[lun]!.prOut(this.#stateOf(from, lun), nexus, request);
    return { ...done, to: this.#moved(from, lun, done.to) };
  }

  facts(id: number, lun: number): Facts {
    return this.#tables[lun]!.facts(this.#stateOf(id, lun));
  }

  /** What a side knows that knew the LUNs as in `known`, once it has looked at one of them as it is in `id`. */
  seenAnew(known: number, lun: number, id: number): number {
    if (this.count === 1 || known < 0) return id;
    return this.#idOf(this.#states[known]!.with(lun, this.#stateOf(id, lun)));
  }

  #stateOf(id: number, lun: number): number {
    return this.count === 1 ? id : this.#states[id]![lun]!;
  }

  #moved(from: number, lun: number, to: number): number {
    if (this.count === 1 || this.#states[from]![lun] === to) return this.count === 1 ? to : from;
    return this.#idOf(this.#states[from]!.with(lun, to));
  }

  #idOf(states: number[]): number {
    const key = states.join();
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#states.push(states) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }
}
