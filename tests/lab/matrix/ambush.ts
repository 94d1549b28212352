/**
 * Strikes at one exact moment of a migration: between a thing that QEMU or prmig says and the moment the other hears it.
 *
 * @module
 */
import type { Guest } from "../guest/guest.ts";
import { QmpProxy } from "../qmp_proxy.ts";
import type { VmGate } from "../../../lib/migrate/vm/gates.ts";
import type { Moment } from "./failures.ts";

/** What is done; `false`: whatever was about to be heard is never heard. */
export type Strike = () => Promise<boolean>;

/** Proxies before both monitors that strike once, at their moment. They go on serving afterwards, for `prmig recover`. */
export class Ambush implements Disposable {
  readonly source: QmpProxy;
  readonly destination: QmpProxy;
  /** What went wrong while striking. */
  failure: unknown = null;
  #sprung = false;
  /** Before `migrate` a monitor may tell of an older migration. */
  #migrating = false;

  constructor(
    source: Guest,
    destination: Guest,
    private readonly gate: VmGate,
    private readonly moment: Moment | null,
    private readonly strike: Strike,
  ) {
    this.source = QmpProxy.before(
      source.qmpSocket,
      async (command) => {
        if (command === "migrate") this.#migrating = true;
        return command === "migrate-continue" && gate === "switchover" ? await this.#at("late") : true;
      },
      async (line) => {
        const status = /"status": *"([a-z-]+)"/.exec(line)?.[1];
        if (status === undefined || !this.#migrating) return true;
        if (status === "active") return await this.#at("before");
        if (status === "pre-switchover") return await this.#at("gate");
        if (status !== "completed") return true;
        return await this.#at(gate === "completed" ? "late" : "gate");
      },
    );
    this.destination = QmpProxy.before(
      destination.qmpSocket,
      async (command) => command === "cont" && gate === "paused" ? await this.#at("late") : true,
    );
  }

  /** The moment came. */
  get sprung(): boolean {
    return this.#sprung;
  }

  [Symbol.dispose](): void {
    this.source[Symbol.dispose]();
    this.destination[Symbol.dispose]();
  }

  async #at(moment: Moment): Promise<boolean> {
    if (this.#sprung || moment !== this.moment) return true;
    this.#sprung = true;
    try {
      return await this.strike();
    } catch (error) {
      this.failure = error;
      return true;
    }
  }
}
