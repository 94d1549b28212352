/**
 * Every command sent to the players, in order, with the scenario it belongs to: evidence for the report.
 *
 * @module
 */
import type { Nexus, Reply } from "../../pr/nexus.ts";
import { type Player, PLAYERS } from "../../qualify/scenario.ts";
import type { SomeNexuses } from "../../qualify/players.ts";

/** One command. */
export interface Sent {
  readonly by: Player;
  /** Identifier of the scenario; `null` before the first and after the last. */
  readonly scenario: string | null;
  readonly cdb: Uint8Array;
  /** Data-out, or room for data-in. */
  readonly data: Uint8Array | number;
  /** What came back, or why nothing did. */
  readonly reply: Reply | string;
}

/** Keeps what is sent. */
export class Recorder {
  /** Oldest first. */
  readonly sent: Sent[] = [];
  /** The scenario being played. */
  scenario: string | null = null;

  /** The same nexuses, on record. */
  over(nexuses: SomeNexuses): SomeNexuses {
    const { A, B, C } = nexuses;
    const [a, b, c] = PLAYERS;
    const both = { A: this.#recorded(a!, A), B: this.#recorded(b!, B) };
    return C === undefined ? both : { ...both, C: this.#recorded(c!, C) };
  }

  #recorded(by: Player, nexus: Nexus): Nexus {
    return {
      address: nexus.address,
      initiator: nexus.initiator,
      execute: async (cdb, data, options) => {
        const entry = { by, scenario: this.scenario, cdb: cdb.slice(), data: keep(data) };
        try {
          const reply = await nexus.execute(cdb, data, options);
          this.sent.push({ ...entry, reply });
          return reply;
        } catch (error) {
          this.sent.push({ ...entry, reply: error instanceof Error ? error.message : String(error) });
          throw error;
        }
      },
      close: () => nexus.close(),
    };
  }
}

function keep(data: Uint8Array | number): Uint8Array | number {
  return typeof data === "number" ? data : data.slice();
}
