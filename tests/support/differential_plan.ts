/**
 * Random commands of three nexuses, the same for every LUN: histories that a seed repeats, and that may be cut shorter,
 * since no command depends on the answers before it. Pure.
 *
 * @module
 */
import { PR_OUT_ACTION, prOutActionName, prOutCdb } from "../../lib/pr/cdb.ts";
import { encodePrOut, encodeRegisterAndMove } from "../../lib/pr/pr_out.ts";
import type { BenchLun } from "../../lib/qualify/bench_lun.ts";
import { ordinaryCommand, type OrdinaryName } from "../../lib/qualify/ordinary.ts";
import { type Player, PLAYERS } from "../../lib/qualify/scenario.ts";

const KEYS = [0n, 1n, 1n, 2n, 3n];
const TYPES = [1, 3, 5, 6, 7, 8, 5, 7, 0, 2];
const ORDINARY: readonly OrdinaryName[] = [
  "testUnitReady",
  "read",
  "write",
  "readCapacity10",
  "readCapacity16",
  "modeSense6",
  "reserve6",
  "release6",
  "synchronizeCache10",
  "inquiry",
  "reportLuns",
];
const A = PR_OUT_ACTION;
const OUT: readonly number[] = [
  ...[A.register, A.register, A.register, A.registerAndIgnore, A.reserve, A.reserve, A.reserve, A.release, A.clear],
  ...[A.preempt, A.preempt, A.preempt, A.registerAndMove],
];

/** A command in words and, for each LUN, in bytes (TransportIDs differ); and who reads the LUN after it. */
export interface Planned {
  readonly by: Player;
  readonly what: string;
  readonly bytes: (lun: BenchLun) => { readonly cdb: Uint8Array; readonly data: Uint8Array | number };
  readonly reader: Player;
}

/** What a target cannot be asked, or must not. */
export type Forbid = (planned: { readonly action: number; readonly rk: bigint; readonly sark: bigint }) => boolean;

/** `steps` commands; `seed` repeats them. */
export function history(seed: number, steps: number, forbid: Forbid): Planned[] {
  const random = generator(seed);
  return Array.from({ length: steps }, () => ({ ...plan(random, forbid), reader: pick(random, PLAYERS) }));
}

function plan(random: () => number, forbid: Forbid): Omit<Planned, "reader"> {
  const by = pick(random, PLAYERS);
  if (random() < 0.2) {
    const name = pick(random, ORDINARY);
    return { by, what: name, bytes: (lun) => ordinaryCommand(name, lun.blockBytes) };
  }
  for (;;) {
    const action = pick(random, OUT);
    const [rk, sark] = [pick(random, KEYS), pick(random, KEYS)];
    const type = pick(random, TYPES);
    const scope = random() < 0.03 ? 1 : 0;
    const aptpl = random() < 0.3;
    const to = pick(random, PLAYERS);
    const unreg = random() < 0.5;
    if (forbid({ action, rk, sark })) continue;
    const what = `${prOutActionName(action)} RK=${rk} SARK=${sark} type ${type} scope ${scope}` +
      (action === A.registerAndMove ? ` to ${to}${unreg ? " UNREG" : ""}` : "");
    return {
      by,
      what,
      bytes: ({ ports }) => {
        const port = ports?.[to];
        if (port === undefined) throw new RangeError("both LUNs need READ FULL STATUS");
        const { transportId, relativeTargetPort } = port;
        const data = action === A.registerAndMove
          ? encodeRegisterAndMove({
            rk,
            sark,
            unreg,
            aptpl,
            transportId,
            relativeTargetPort: Number(relativeTargetPort),
          })
          : encodePrOut({ rk, sark, aptpl });
        return { cdb: prOutCdb({ action, scope, type, parameterListLength: data.length }), data };
      },
    };
  }
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

/** xorshift32, as numbers from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
