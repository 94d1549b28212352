/**
 * Short words for tests of the simulated machine: a LUN driven through decoded commands, its answers as texts.
 *
 * @module
 */
import { fromHex } from "../../lib/bytes.ts";
import type { PrOutRequest } from "../../lib/pr/commands.ts";
import { apply } from "../../lib/pr/sim/apply.ts";
import { decodeCommand, prOutCommandOf } from "../../lib/pr/sim/command.ts";
import { type LunModel, newLunModel } from "../../lib/pr/sim/model.ts";
import type { Outcome } from "../../lib/pr/sim/outcome.ts";
import { type Profile, SPC4 } from "../../lib/pr/sim/profile.ts";
import { newSimDevice, type SimOptions } from "../../lib/sim/device.ts";

/** A new LUN with a fixed identity. */
export function newLun(profile: Profile = SPC4, options: SimOptions = {}): LunModel {
  return newLunModel(newSimDevice({ profile, identity: { serial: "5e71a1" }, ...options }));
}

/** "good", "conflict", or sense as "06/2A/05". */
export function answerOf({ status, sense }: Pick<Outcome, "status" | "sense">): string {
  if (sense !== null) return sense.map((n) => n.toString(16).toUpperCase().padStart(2, "0")).join("/");
  return status === 0 ? "good" : status === 0x18 ? "conflict" : `status ${status}`;
}

/** A LUN that remembers its model, so that a test reads as a list of commands. */
export class Driver {
  /** The LUN now. */
  model: LunModel;

  constructor(profile: Profile = SPC4, options: SimOptions = {}) {
    this.model = newLun(profile, options);
  }

  /** PERSISTENT RESERVE OUT of a nexus; gives the answer as a text. */
  out(nexus: string, request: PrOutRequest): string {
    return this.#keep(apply(this.model, nexus, prOutCommandOf(request)));
  }

  /** REGISTER rk -> sark. */
  register(nexus: string, rk: bigint, sark: bigint, more: { aptpl?: boolean; allTgPt?: boolean } = {}): string {
    return this.out(nexus, { action: "register", rk, sark, aptpl: false, ...more });
  }

  /** RESERVE. */
  reserve(nexus: string, rk: bigint, type: number): string {
    return this.out(nexus, { action: "reserve", rk, type });
  }

  /** PREEMPT. */
  preempt(nexus: string, rk: bigint, sark: bigint, type: number): string {
    return this.out(nexus, { action: "preempt", rk, sark, type });
  }

  /** Any bytes; `data` is data-out in hex, or the room for data-in. */
  send(nexus: string, cdb: string, data: string | number = 0): Outcome {
    const outcome = apply(
      this.model,
      nexus,
      decodeCommand(fromHex(cdb), typeof data === "string" ? fromHex(data) : data),
    );
    this.model = outcome.model;
    return outcome;
  }

  /** TEST UNIT READY. */
  ready(nexus: string): string {
    return answerOf(this.send(nexus, "00 00 00 00 00 00"));
  }

  /** Every attention a nexus has, taken one by one: "2A05 2A04"; empty when it has none. */
  attentions(nexus: string): string {
    const codes: string[] = [];
    for (let answer = this.ready(nexus); answer.startsWith("06/"); answer = this.ready(nexus)) {
      codes.push(answer.slice(3).replace("/", ""));
    }
    return codes.join(" ");
  }

  /** "a=1 b=2, 5@a": who is registered under which key, in the order of names, and the reservation. */
  get state(): string {
    const registered = this.model.registrations.map(({ nexus, key }) => `${nexus}=${key.toString(16)}`).sort().join(
      " ",
    );
    const { reservation } = this.model;
    return `${registered}, ${reservation === null ? "free" : `${reservation.type}@${reservation.holder}`}`;
  }

  #keep(outcome: Outcome): string {
    this.model = outcome.model;
    return answerOf(outcome);
  }
}
