/**
 * What a probe line says was submitted: the first ten CDB bytes and the keys. Pure.
 *
 * Words from memory are little-endian numbers without leading zeros: `0x2004444bbbb3333` is the bytes
 * 33 33 bb bb 44 44 00 02, that is, key 3333bbbb44440002. Words from registers are the keys themselves.
 *
 * A page that was not resident gives stale bytes and no sign of it, so nothing here is believed before its CDB words
 * equal the CDB of the dispatched command (see correlate.ts).
 *
 * @module
 */
import type { ProbeLine, TaskContext } from "./trace_line.ts";
import { type Probe, probeNamed } from "./probes.ts";

/** Keys as the caller handed them over. */
export interface SubmittedKeys {
  /** Reservation key. */
  readonly rk: bigint;
  /** Service action reservation key; `null` where the entry point has none (PR ioctls for RESERVE, RELEASE, CLEAR). */
  readonly sark: bigint | null;
  /** Parameter list bytes 16 to 23, or `null` when the list is shorter or never was in memory. */
  readonly tail: Uint8Array | null;
}

/** One hit of one of our probes. */
export interface Submitted {
  readonly probe: Probe;
  readonly task: TaskContext;
  readonly atUs: number;
  /** Kernel device number, where the probe was defined with offsets. */
  readonly device: number | null;
  /** First ten bytes of the CDB; `null` for the PR ioctls, whose CDB the kernel builds later. */
  readonly cdbHead: Uint8Array | null;
  /** Length of the CDB the caller announced. */
  readonly cdbLength: number | null;
  /** `null` when they cannot be known: scattered data, list too short. */
  readonly keys: SubmittedKeys | null;
}

const WORD = 0xffff_ffff_ffff_ffffn;

/** Bytes of a little-endian word of `size` bytes. */
export function wordBytes(word: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((word >> BigInt(8 * i)) & 0xffn));
}

/** The number a big-endian field has when its bytes were read as a little-endian word. */
export function swapWord(word: bigint): bigint {
  return wordBytes(word, 8).reduce((value, byte) => value << 8n | BigInt(byte), 0n);
}

/** A probe line as a submission; `null` for a probe that is not ours or lacks what makes it one. */
export function submittedOf(line: ProbeLine): Submitted | null {
  const probe = probeNamed(line.probe);
  if (!probe) return null;
  const words = (name: string): bigint | null => {
    const value = line.words.get(name);
    return value === undefined ? null : value & WORD;
  };
  const device = words("dev");
  const common = {
    probe,
    task: { comm: line.comm, tid: line.tid, tgid: line.tgid },
    atUs: line.atUs,
    device: device === null ? null : Number(device & 0xffff_ffffn),
  };
  const rk = words("rk"), sk = words("sk");
  if (probe.words === "registers") {
    const keys = rk === null ? null : { rk, sark: sk, tail: null };
    return { ...common, cdbHead: null, cdbLength: null, keys };
  }
  const c0 = words("c0"), c8 = words("c8");
  if (c0 === null || c8 === null) return null;
  const cdbLength = words("clen");
  return {
    ...common,
    cdbHead: Uint8Array.of(...wordBytes(c0, 8), ...wordBytes(c8, 2)),
    cdbLength: cdbLength === null ? null : Number(cdbLength),
    keys: memoryKeys(rk, sk, words("d16"), words("dlen"), words("iov")),
  };
}

function memoryKeys(
  rk: bigint | null,
  sk: bigint | null,
  tail: bigint | null,
  length: bigint | null,
  scattered: bigint | null,
): SubmittedKeys | null {
  if (rk === null || sk === null || scattered !== 0n || length === null || length < 16n) return null;
  return {
    rk: swapWord(rk),
    sark: swapWord(sk),
    tail: tail !== null && length >= 24n ? wordBytes(tail, 8) : null,
  };
}
