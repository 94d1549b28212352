/**
 * Hostile bytes, cheaply: pure noise, and good encodings that somebody cut, stretched, spliced or lied in.
 *
 * Noise alone rarely gets past a header, so most cases start from the examples. One generator fills one buffer; a case
 * costs a microsecond, so that a hundred thousand are no burden.
 *
 * @module
 */
import { toHex } from "../../lib/bytes.ts";
import { CASES, SEED } from "./cases.ts";

/** A decoder under fire. */
export interface Target {
  readonly name: string;
  /** Called with bytes that lie in the middle of a larger buffer. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Good encodings to start from. */
  readonly examples: readonly Uint8Array[];
  /** Errors it may throw; anything else is a failure. None: it must always return. */
  readonly errors?: readonly (abstract new (...args: never[]) => Error)[];
}

const ROOM = 1024;
const MARGIN = 64;
const LIES = [
  0,
  1,
  3,
  4,
  7,
  8,
  0x10,
  0x14,
  0x18,
  0x7f,
  0x80,
  0xfc,
  0xff,
  0x7fff,
  0xffff,
  0x7fffffff,
  0xfffffff8,
  0xffffffff,
];
/** Every so many cases the surroundings are changed and the result must not be: nothing outside was read. */
const LOOK_AROUND = 16;

/**
 * Throws {@link CASES} byte strings at a decoder. Fails, naming seed, case and bytes, on an error that is not in
 * `errors`, when the result depends on bytes outside those given, or when hardly any case gives a value.
 */
export function bombard(target: Target, cases = CASES): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // most cases end in a typed error, and its stack is what costs
  try {
    bombardAll(target, cases);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function bombardAll({ name, decode, examples, errors = [] }: Target, cases: number): void {
  const random = xorshift(SEED);
  const buffer = new Uint8Array(ROOM + 2 * MARGIN);
  let values = 0;
  const attempt = (bytes: Uint8Array): unknown => {
    try {
      const value = decode(bytes);
      values++;
      return value;
    } catch (error) {
      if (errors.some((type) => error instanceof type)) return `${error}`;
      throw error;
    }
  };
  for (let number = 0; number < cases; number++) {
    const length = fill(buffer.subarray(MARGIN, MARGIN + ROOM), examples, random);
    const bytes = buffer.subarray(MARGIN, MARGIN + length);
    const fail = (why: string, cause?: unknown): Error =>
      new Error(`${name}: ${why} (PRMIG_SEED=${SEED}, case ${number}): ${toHex(bytes)}`, { cause });
    let result: unknown;
    try {
      result = attempt(bytes);
    } catch (error) {
      throw fail(`threw ${error}`, error);
    }
    if (number % LOOK_AROUND !== 0) continue;
    const before = fingerprint(result);
    buffer.fill(random() & 0xff, 0, MARGIN);
    buffer.fill(random() & 0xff, MARGIN + length);
    if (fingerprint(attempt(bytes)) !== before) throw fail("depends on bytes outside its own");
  }
  // A bombardment that never gets past the header proves nothing.
  if (values < cases / 100) throw new Error(`${name}: only ${values} of ${cases} byte strings gave a value`);
}

/** Fills `room` from its beginning and says how many bytes count. */
function fill(room: Uint8Array, examples: readonly Uint8Array[], random: () => number): number {
  const kind = random() % 8;
  const example = examples[random() % Math.max(1, examples.length)];
  if (kind === 0 || !example) return noise(room, random() % 96, random);
  room.set(example.subarray(0, ROOM));
  let length = Math.min(example.length, ROOM);
  for (let changes = random() % 4; changes >= 0; changes--) length = spoil(room, length, examples, random);
  return length;
}

function noise(room: Uint8Array, length: number, random: () => number): number {
  for (let i = 0; i < length; i++) room[i] = random();
  return length;
}

function spoil(room: Uint8Array, length: number, examples: readonly Uint8Array[], random: () => number): number {
  const at = length === 0 ? 0 : random() % length;
  const lie = LIES[random() % LIES.length]!;
  switch (random() % 7) {
    case 0: // cut
      return at;
    case 1: // stretch
      return Math.min(ROOM, length + noise(room.subarray(length), Math.min(ROOM - length, random() % 40), random));
    case 2: // one bit
      room[at]! ^= 1 << (random() % 8);
      return length;
    case 3: // one byte
      room[at] = random();
      return length;
    case 4: // a 16-bit length
      room[at & ~1] = lie >> 8;
      room[at | 1] = lie;
      return length;
    case 5: { // a 32-bit length
      const start = Math.min(at & ~3, ROOM - 4);
      for (let i = 0; i < 4; i++) room[start + i] = lie >>> (24 - 8 * i);
      return length;
    }
    default: { // another example from here on
      const other = examples[random() % examples.length]!.subarray(0, ROOM - at);
      room.set(other, at);
      return at + other.length;
    }
  }
}

/** Results as text: bigints and bytes included. */
function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_key, each) => typeof each === "bigint" ? `${each}n` : each) ?? "undefined";
}

/** Marsaglia's xorshift32: unsigned, never stuck at 0. */
function xorshift(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
