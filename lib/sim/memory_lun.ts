/**
 * A simulated LUN in memory: for tests, model checks and benches. Any number of nexuses, every command on record.
 *
 *     const lun = new MemoryLun();
 *     const a = lun.nexus("A");
 *     await prOut(a, { action: "register", rk: 0n, sark: 0x123abcn, aptpl: false });
 *     lun.history.at(-1); // nexus, CDB, reply, the LUN before and after
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import type { InitiatorHint, Nexus, Reply } from "../pr/nexus.ts";
import { loseInformation, lunReset, nexusLoss, powerCycle } from "../pr/sim/events.ts";
import { type LunModel, newLunModel } from "../pr/sim/model.ts";
import { type NexusId, nexusId, simTransportId } from "../pr/sim/nexus_id.ts";
import { closedError } from "./closed.ts";
import { newSimDevice, type SimOptions } from "./device.ts";
import { execute } from "./reply.ts";

/** One command a MemoryLun has executed. */
export interface HistoryEntry {
  /** Who sent it. */
  readonly nexus: NexusId;
  /** Command block. */
  readonly cdb: Bytes;
  /** Data-out; empty when there was none. */
  readonly dataOut: Bytes;
  /** What came back. */
  readonly reply: Reply;
  /** The LUN before. */
  readonly before: LunModel;
  /** The LUN after. */
  readonly after: LunModel;
}

/** Choices for a {@link MemoryLun}. */
export interface MemoryLunOptions extends SimOptions {
  /** `false`: keep no history (benches). */
  readonly record?: boolean;
}

/** A simulated LUN in memory. */
export class MemoryLun {
  /** The LUN now. Immutable values: keep one, and put it back to return to that instant. */
  model: LunModel;
  /** Every command executed, oldest first. */
  readonly history: HistoryEntry[] = [];
  readonly #record: boolean;
  readonly #nexuses = new Map<NexusId, MemoryNexus>();

  /** A new LUN, nobody registered. */
  constructor(options: MemoryLunOptions = {}) {
    this.model = newLunModel(newSimDevice(options));
    this.#record = options.record ?? true;
  }

  /** The nexus of an initiator; the same object for the same name and port, unless it was closed. `RangeError` for a bad name. */
  nexus(name: string, port = 1): Nexus {
    const id = nexusId(name, port);
    const known = this.#nexuses.get(id);
    if (known && !known.closed) return known;
    const address = `sim:memory?nexus=${name}${port === 1 ? "" : `&port=${port}`}`;
    const fresh = new MemoryNexus(this, id, address);
    this.#nexuses.set(id, fresh);
    return fresh;
  }

  /** Executes a command of a nexus, at once. */
  execute(nexus: NexusId, cdb: Uint8Array, data: Uint8Array | number): Reply {
    const before = this.model;
    const { model, reply } = execute(before, nexus, cdb, data);
    this.model = model;
    if (this.#record) {
      const dataOut = typeof data === "number" ? new Uint8Array() : new Uint8Array(data);
      this.history.push({ nexus, cdb: new Uint8Array(cdb), dataOut, reply, before, after: model });
    }
    return reply;
  }

  /** Loss of power and its return. */
  powerCycle(): void {
    this.model = powerCycle(this.model, [...this.#nexuses.keys()]);
  }

  /** LOGICAL UNIT RESET. */
  reset(): void {
    this.model = lunReset(this.model, [...this.#nexuses.keys()]);
  }

  /** The initiator's session is lost and comes back. */
  nexusLoss(name: string, port = 1): void {
    this.model = nexusLoss(this.model, nexusId(name, port));
  }

  /** The device forgets its persistent reservation data. */
  loseInformation(): void {
    this.model = loseInformation(this.model);
  }
}

class MemoryNexus implements Nexus {
  readonly initiator: InitiatorHint;
  closed = false;

  constructor(readonly lun: MemoryLun, readonly id: NexusId, readonly address: string) {
    this.initiator = { transportId: simTransportId(id), match: "exact" };
  }

  execute(cdb: Uint8Array, data: Uint8Array | number): Promise<Reply> {
    if (!this.closed) return Promise.resolve(this.lun.execute(this.id, cdb, data));
    return Promise.reject(closedError(this.address));
  }

  close(): void {
    this.closed = true;
  }
}
