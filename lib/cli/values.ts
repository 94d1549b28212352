/**
 * The kinds of words a command line takes: how each is written, and how it is read.
 *
 * Pure. A kind's `parse` throws {@link BadValue} with a message that completes "option --key: ...".
 *
 * @module
 */
import { GATES, type VmGate } from "../migrate/vm/gates.ts";
import { parseKey, PR_TYPES, type PrType } from "../pr/types.ts";

/** A word that is not of its kind. The message says what was expected, and quotes nothing. */
export class BadValue extends Error {
  override readonly name = "BadValue";
}

/** One kind of word. */
export interface ValueKind<T> {
  /** Placeholder in help and man pages: `KEY`, `TYPE`, `DURATION`. */
  readonly shape: string;
  /** Reads a word; throws {@link BadValue}. */
  readonly parse: (text: string) => T;
  /** The words themselves, where they can be listed (for completion). */
  readonly choices?: readonly string[];
}

/** Any text but the empty one. */
export function text(shape: string): ValueKind<string> {
  return { shape, parse: (word) => notEmpty(word, shape) };
}

/** A device address: a path, or `sim:FILE?nexus=NAME`. Whether it is there is found out by opening it. */
export const ADDRESS: ValueKind<string> = {
  shape: "DEV",
  parse: (word) => {
    if (word.startsWith("-")) throw new BadValue("looks like an option; write ./-name for a file with such a name");
    return notEmpty(word, "a device address");
  },
};

/** A reservation key: 1 to 16 hex digits, `0x` or not. */
export const KEY: ValueKind<bigint> = {
  shape: "KEY",
  parse: (word) => {
    const key = parseKey(word);
    if (key === null) throw new BadValue("expected a reservation key: 1 to 16 hex digits, with or without 0x");
    if (key === 0n) throw new BadValue("key 0 is never registered; expected the key of a registration");
    return key;
  },
};

/** A reservation type: its code, its short form, or its name. */
export const PR_TYPE: ValueKind<PrType> = {
  shape: "TYPE",
  choices: PR_TYPES.flatMap((info) => [String(info.type), info.short]),
  parse: (word) => {
    const wanted = fold(word);
    const found = PR_TYPES.find((info) => [String(info.type), info.short, info.name].some((w) => fold(w) === wanted));
    if (found) return found.type;
    const types = PR_TYPES.map((info) => `${info.type} (${info.short})`).join(", ");
    throw new BadValue(`expected a reservation type: ${types}`);
  },
};

/** How a reservation passes from one nexus to the other. */
export const METHOD: ValueKind<"token" | "plain"> = {
  shape: "METHOD",
  choices: ["token", "plain"],
  parse: (word) => {
    if (word === "token" || word === "plain") return word;
    throw new BadValue("expected token or plain");
  },
};

/** The moment at which a migrating guest's reservations move. */
export const GATE: ValueKind<VmGate> = {
  shape: "GATE",
  choices: GATES,
  parse: (word) => {
    const gate = GATES.find((name) => name === word);
    if (gate) return gate;
    throw new BadValue(`expected a gate: ${GATES.join(", ")}`);
  },
};

/** Longest duration taken: a day. Timers and SG_IO's 32-bit milliseconds hold it with room to spare. */
const LONGEST_MS = 86_400_000;
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A span of time with its unit; read as milliseconds. */
export const DURATION: ValueKind<number> = {
  shape: "DURATION",
  parse: (word) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(word.trim());
    if (!match) throw new BadValue("expected a duration with its unit, such as 500ms, 30s, 2m or 1h");
    const ms = Math.round(Number(match[1]) * UNIT_MS[match[2]!]!);
    if (ms < 1 || ms > LONGEST_MS) throw new BadValue("expected a duration between 1ms and 24h");
    return ms;
  },
};

function notEmpty(word: string, what: string): string {
  if (word.trim() === "") throw new BadValue(`expected ${what}, got an empty word`);
  return word;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[\s,_-]+/g, "");
}
