/**
 * The same random commands to two LUNs through three nexuses each: every answer has to be the same.
 *
 * Answers are compared as texts: status, sense key/ASC/ASCQ, and the data of PERSISTENT RESERVE IN with TransportIDs
 * replaced by the players' names and PRGENERATION counted from the start.
 *
 * @module
 */
import { decodeFullStatus } from "../../lib/pr/full_status.ts";
import type { Nexus, Reply } from "../../lib/pr/nexus.ts";
import { decodeReadKeys } from "../../lib/pr/read_keys.ts";
import { decodeReadReservation } from "../../lib/pr/read_reservation.ts";
import { sameTransportId } from "../../lib/pr/transport_id.ts";
import { PR_IN_ACTION, PR_OUT_ACTION, prInActionName, prInCdb, prOutActionName, prOutCdb } from "../../lib/pr/cdb.ts";
import { encodePrOut, encodeRegisterAndMove } from "../../lib/pr/pr_out.ts";
import { type BenchLun, type Nexuses, prepare } from "../../lib/qualify/bench_lun.ts";
import { ordinaryCommand, type OrdinaryName } from "../../lib/qualify/ordinary.ts";
import { type Player, PLAYERS } from "../../lib/qualify/scenario.ts";
import { resultOf, send } from "../../lib/qualify/talk.ts";

const ROOM = 8192;
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

/** A command in words and, for each LUN, in bytes (TransportIDs differ). */
interface Planned {
  readonly by: Player;
  readonly what: string;
  readonly bytes: (lun: BenchLun) => { readonly cdb: Uint8Array; readonly data: Uint8Array | number };
  /** PERSISTENT RESERVE IN service action, to read the answer by. */
  readonly reads: number | null;
}

/** What is not to be sent, by its description, given what both LUNs showed last. */
export type Forbid = (planned: { readonly action: number; readonly rk: bigint; readonly sark: bigint }) => boolean;

/**
 * Sends `steps` random commands to both, and after each reads both whole. Throws an Error that tells the last commands
 * at the first difference. `seed` repeats a run.
 */
export async function sameAnswers(
  one: Nexuses,
  other: Nexuses,
  { steps, seed, forbid }: { steps: number; seed: number; forbid: Forbid },
): Promise<void> {
  const luns = [await prepare(one), await prepare(other)] as const;
  const starts = await Promise.all(luns.map((lun) => generationOf(lun.nexuses.A)));
  const random = generator(seed);
  const trail: string[] = [];
  for (let step = 0; step < steps; step++) {
    const planned = plan(random, forbid);
    const reader = pick(random, PLAYERS);
    for (const each of [planned, ...[0, 1, 3].map((action) => readAs(reader, action))]) {
      const answers: string[] = [];
      for (const [i, lun] of luns.entries()) {
        const { cdb, data } = each.bytes(lun);
        const reply = await send(lun.nexuses[each.by], cdb, data);
        answers.push(answerOf(lun, reply, each.reads, starts[i] ?? 0));
      }
      trail.push(`${each.by}: ${each.what}: ${answers[0]}`);
      if (answers[0] === answers[1]) continue;
      const before = trail.slice(-30).join("\n  ");
      throw new Error(`seed ${seed}, step ${step}: the other answers ${answers[1]}\n  ${before}`);
    }
  }
}

function plan(random: () => number, forbid: Forbid): Planned {
  const by = pick(random, PLAYERS);
  if (random() < 0.2) {
    const name = pick(random, ORDINARY);
    return { by, what: name, bytes: (lun) => ordinaryCommand(name, lun.blockBytes), reads: null };
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
      reads: null,
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

function readAs(by: Player, action: number): Planned {
  const bytes = () => ({ cdb: prInCdb(action, ROOM), data: ROOM });
  return { by, what: prInActionName(action), bytes, reads: action };
}

function answerOf(lun: BenchLun, reply: Reply, reads: number | null, start: number): string {
  const result = resultOf(reply);
  if (result !== "good" || reads === null) return result;
  switch (reads) {
    case PR_IN_ACTION.readKeys: {
      const { generation, keys } = decodeReadKeys(reply.dataIn);
      return `generation ${(generation - start) >>> 0}, keys ${keys.join(" ")}`;
    }
    case PR_IN_ACTION.readReservation: {
      const answer = decodeReadReservation(reply.dataIn);
      if (answer.kind !== "complete" || answer.reservation === null) return "not reserved";
      return `type ${answer.reservation.type} under ${answer.reservation.key}`;
    }
    default:
      return decodeFullStatus(reply.dataIn).registrations.map((each) =>
        `${playerOf(lun, each.transportId)}=${each.key}${each.held ? ` holds ${each.held.type}` : ""}`
      ).join(", ");
  }
}

function playerOf({ ports }: BenchLun, id: Parameters<typeof sameTransportId>[0]): string {
  return PLAYERS.find((player) => ports !== null && sameTransportId(ports[player].transportId, id)) ?? "?";
}

async function generationOf(nexus: Nexus): Promise<number> {
  return decodeReadKeys((await send(nexus, prInCdb("readKeys", ROOM), ROOM)).dataIn).generation;
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
