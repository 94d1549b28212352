/**
 * Random commands of three nexuses, the same for every LUN: histories that a seed repeats, and that may be cut shorter,
 * since no command depends on the answers before it. Pure.
 *
 * @module
 */
import { PR_OUT_ACTION, prOutActionName, prOutCdb } from "../../lib/pr/cdb.ts";
import { encodePrOut, encodeRegisterAndMove } from "../../lib/pr/pr_out.ts";
import type { TransportId } from "../../lib/pr/transport_id.ts";
import type { BenchLun } from "../../lib/qualify/bench_lun.ts";
import { ordinaryCommand, type OrdinaryName } from "../../lib/qualify/ordinary.ts";
import { type Player, PLAYERS } from "../../lib/qualify/scenario.ts";

const KEYS = [0n, 1n, 1n, 2n, 3n];
const TYPES = [1, 3, 5, 6, 7, 8, 5, 7, 0, 2];
/** Commands that are no PERSISTENT RESERVE. */
export const ORDINARY: readonly OrdinaryName[] = [
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

/** A PERSISTENT RESERVE OUT that might be sent. */
export interface Considered {
  readonly action: number;
  readonly rk: bigint;
  readonly sark: bigint;
  readonly type: number;
  readonly scope: number;
}

/** What a target cannot be asked, or must not. */
export type Forbid = (considered: Considered) => boolean;

/** `steps` commands; `seed` repeats them. `ordinary` are the other commands that are sent. */
export function history(seed: number, steps: number, forbid: Forbid, ordinary = ORDINARY): Planned[] {
  const random = generator(seed);
  return Array.from({ length: steps }, () => ({ ...plan(random, forbid, ordinary), reader: pick(random, PLAYERS) }));
}

function plan(random: () => number, forbid: Forbid, ordinary: readonly OrdinaryName[]): Omit<Planned, "reader"> {
  const by = pick(random, PLAYERS);
  if (random() < 0.2) {
    const name = pick(random, ordinary);
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
    if (forbid({ action, rk, sark, type, scope })) continue;
    const what = `${prOutActionName(action)} RK=${rk} SARK=${sark} type ${type} scope ${scope}` +
      (action === A.registerAndMove ? ` to ${to}${unreg ? " UNREG" : ""}` : "");
    return {
      by,
      what,
      bytes: ({ ports }) => {
        const data = action === A.registerAndMove
          ? encodeRegisterAndMove({ rk, sark, unreg, aptpl, ...portOf(ports, to) })
          : encodePrOut({ rk, sark, aptpl });
        return { cdb: prOutCdb({ action, scope, type, parameterListLength: data.length }), data };
      },
    };
  }
}

function portOf(
  ports: BenchLun["ports"],
  player: Player,
): { readonly transportId: TransportId; readonly relativeTargetPort: number } {
  const port = ports?.[player];
  if (port === undefined) throw new RangeError("REGISTER AND MOVE needs a LUN with READ FULL STATUS");
  return { transportId: port.transportId, relativeTargetPort: Number(port.relativeTargetPort) };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

/** xorshift32, as numbers from 0 to 1; neighbouring seeds are spread, or their histories would begin alike. */
function generator(seed: number): () => number {
  let state = Math.imul(seed ^ (seed >>> 16) ^ 0x9e3779b9, 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  state = (state ^ (state >>> 16)) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
