/**
 * The simulated LUN as numbered states: every state that occurs is kept once, every command is carried out once in each.
 *
 * @module
 */
import { toHex } from "../../lib/bytes.ts";
import { prOutCommand, type PrOutRequest } from "../../lib/pr/commands.ts";
import type { Reply } from "../../lib/pr/nexus.ts";
import { type LunModel, modelKey } from "../../lib/pr/sim/model.ts";
import { initiatorOf, type NexusId } from "../../lib/pr/sim/nexus_id.ts";
import { execute } from "../../lib/sim/reply.ts";

/** What a command did. */
export interface Done {
  readonly to: number;
  readonly reply: Reply;
  /** The same for equal replies. */
  readonly replyName: string;
}

/** What the invariants look at. */
export interface Facts {
  /** Keys of an initiator, by name (`a`, `b`, ...); absent when it is not registered. */
  readonly keys: Readonly<Record<string, readonly bigint[]>>;
  /** `null`: not reserved. Types 7 and 8 have no single holder: `*`. */
  readonly reservation: { readonly type: number; readonly holder: string } | null;
  readonly ptplActive: boolean;
  readonly generation: number;
}

/** All states of one LUN that an exploration has met. */
export class LunTable {
  readonly models: LunModel[] = [];
  readonly #ids = new Map<string, number>();
  readonly #done: Map<string, Done>[] = [];
  readonly #facts: Facts[] = [];
  readonly #commands = new WeakMap<Uint8Array, string>();

  idOf(model: LunModel): number {
    const key = modelKey(model);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.models.push(model) - 1;
      this.#ids.set(key, id);
      this.#done.push(new Map());
    }
    return id;
  }

  execute(from: number, nexus: NexusId, cdb: Uint8Array, data: Uint8Array | number): Done {
    const known = this.#done[from]!;
    const name = this.#nameOf(nexus, cdb, data);
    let done = known.get(name);
    if (done === undefined) {
      const { model, reply } = execute(this.models[from]!, nexus, cdb, data);
      done = { to: this.idOf(model), reply, replyName: nameOfReply(reply) };
      known.set(name, done);
    }
    return done;
  }

  prOut(from: number, nexus: NexusId, request: PrOutRequest): Done {
    const { cdb, data } = prOutCommand(request);
    return this.execute(from, nexus, cdb, data);
  }

  facts(id: number): Facts {
    return this.#facts[id] ??= factsOf(this.models[id]!);
  }

  #nameOf(nexus: NexusId, cdb: Uint8Array, data: Uint8Array | number): string {
    let name = this.#commands.get(cdb);
    if (name === undefined) {
      name = `${nexus}:${toHex(cdb)}:${typeof data === "number" ? data : toHex(data)}`;
      this.#commands.set(cdb, name);
    }
    return name;
  }
}

/** A name that different replies do not share. */
export function nameOfReply({ status, sense, dataIn, hostStatus = 0, driverStatus = 0 }: Reply): string {
  return `${status}/${hostStatus}/${driverStatus}/${toHex(sense)}/${toHex(dataIn)}`;
}

function factsOf(model: LunModel): Facts {
  const keys: Record<string, bigint[]> = {};
  for (const { nexus, key } of model.registrations) (keys[initiatorOf(nexus)] ??= []).push(key);
  const { reservation, ptplActive, generation } = model;
  const all = reservation !== null && reservation.type >= 7;
  return {
    keys,
    reservation: reservation && { type: reservation.type, holder: all ? "*" : initiatorOf(reservation.holder) },
    ptplActive,
    generation,
  };
}
