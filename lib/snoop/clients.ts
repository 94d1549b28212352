/**
 * Who is connected: each connection's process, and what the log and the counters say of connections that come and go.
 *
 * @module
 */
import { CLOSE_MESSAGES } from "./helper_protocol.ts";
import type { Log } from "./log_line.ts";
import type { Metrics } from "./metrics.ts";
import type { Client, ServerHooks } from "./server_hooks.ts";
import { identify, type Who } from "./who.ts";

/** Whom it tells. */
export interface ClientsOptions {
  readonly metrics: Metrics;
  readonly log: Log;
  /** A connection has gone whose process this was. */
  readonly gone: (who: Who) => void;
}

/** Errors of a socket whose other end is gone. */
const GONE: readonly string[] = ["ECONNRESET", "EPIPE"];

/** All connected clients. */
export class Clients {
  readonly #who = new Map<number, Who>();

  constructor(private readonly options: ClientsOptions) {}

  /** Who a client is, as it was when it connected. */
  whoIs({ id, peer: { pid, uid } }: Client): Who {
    return this.#who.get(id) ?? { id: `connection ${id}`, pid, startTicks: null, uid, program: null };
  }

  /** What a HelperServer is to call about connections. */
  hooks(): Required<Omit<ServerHooks, "execute" | "pause" | "inRuntime" | "waiting">> {
    const { log, metrics, gone } = this.options;
    return {
      connected: ({ id, peer }) => {
        const who = identify(peer, id);
        this.#who.set(id, who);
        metrics.count("connections");
        const { pid, uid, program } = who;
        log({ level: "debug", message: "client connected", facts: { client: id, pid, uid, program } });
      },
      closed: ({ id, peer }, reason) => {
        const who = this.#who.get(id);
        if (who) gone(who);
        this.#who.delete(id);
        const [name, why] = typeof reason !== "string"
          ? [reason.code, reason.message]
          : [reason, reason === "serviceEnds" ? null : CLOSE_MESSAGES[reason]];
        metrics.count("closed", { reason: name });
        // A peer that is gone is everyday; one that breaks the protocol is not, nor a socket that fails otherwise.
        const level = why && !GONE.includes(name) ? "warning" : "debug";
        log({ level, message: "client gone", facts: { client: id, pid: peer.pid, why } });
      },
      turnedAway: (why) => {
        metrics.count("turned_away");
        log({ level: "warning", message: "a client could not be accepted", facts: { why } });
      },
      defect: (error) => {
        metrics.count("defects");
        const message = `defect: ${error instanceof Error ? error.stack ?? error.message : error}`;
        log({ level: "error", message });
      },
    };
  }
}
