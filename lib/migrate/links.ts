/**
 * The two ways to the other side: a stream that runs both ways, and the LUN itself.
 *
 * @module
 */
import type { Message } from "./messages.ts";
import type { Clock, Link, Silence } from "./ports.ts";
import { decodeMessage, encodeMessage } from "./stream.ts";

/** Over a one-way pipe nothing can be said; every wait is a wait for the LUN. */
export function lunLink(clock: Clock): Link {
  return {
    duplex: false,
    send: () => Promise.resolve(false),
    next: async (waitMs, wake) => {
      await clock.sleep(waitMs, wake);
      return { record: "quiet" };
    },
  };
}

/** Messages kept for a side that is busy with a LUN; a peer that sends more than this is cut off. */
const INBOX_LIMIT = 1024;

/** What a two-way link is made of. */
export interface StreamEnds {
  readonly lines: AsyncIterable<string>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly clock: Clock;
  /** Told once if the other side says something that is no message. */
  readonly onBroken: (why: string) => void;
}

/** A stream that runs both ways: lines of messages in, bytes of messages out. */
export function streamLink({ lines, write, clock, onBroken }: StreamEnds): Link {
  const inbox: Message[] = [];
  let open = true;
  let arrived = Promise.withResolvers<void>();
  const ring = (): void => {
    arrived.resolve();
    arrived = Promise.withResolvers();
  };
  const listen = async (): Promise<void> => {
    try {
      for await (const line of lines) {
        inbox.push(decodeMessage(line));
        if (inbox.length > INBOX_LIMIT) break;
        ring();
      }
    } finally {
      open = false;
      ring();
    }
  };
  // A line that is no message ends the link like any other end: from then on the LUN tells what is true.
  listen().catch((error) => onBroken(error instanceof Error ? error.message : String(error)));
  let writable = true;
  return {
    duplex: true,
    send: async (message) => {
      if (!writable) return false;
      try {
        await write(encodeMessage(message));
      } catch {
        writable = false;
      }
      return writable;
    },
    next: async (waitMs, wake): Promise<Message | Silence> => {
      if (inbox.length === 0 && open) {
        await clock.sleep(waitMs, wake ? Promise.race([arrived.promise, wake]) : arrived.promise);
      }
      const message = inbox.shift();
      if (message) return message;
      // A closed link must not turn a wait into a busy loop.
      if (!open) await clock.sleep(Math.min(waitMs, 100), wake);
      return { record: open ? "quiet" : "closed" };
    },
  };
}
