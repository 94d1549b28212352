/**
 * The same commands to two LUNs through three nexuses each: every answer has to be the same, and what the LUN shows after
 * each command.
 *
 * Answers are compared as texts: status, sense key/ASC/ASCQ, and the data of PERSISTENT RESERVE IN with TransportIDs
 * replaced by the players' names and PRGENERATION counted from the start.
 *
 * @module
 */
import { PR_IN_ACTION, prInActionName, prInCdb } from "../../lib/pr/cdb.ts";
import { decodeFullStatus } from "../../lib/pr/full_status.ts";
import type { Nexus, Reply } from "../../lib/pr/nexus.ts";
import { decodeReadKeys } from "../../lib/pr/read_keys.ts";
import { decodeReadReservation } from "../../lib/pr/read_reservation.ts";
import { sameTransportId } from "../../lib/pr/transport_id.ts";
import { type BenchLun, type Nexuses, prepare } from "../../lib/qualify/bench_lun.ts";
import { type Player, PLAYERS } from "../../lib/qualify/scenario.ts";
import { resultOf, send } from "../../lib/qualify/talk.ts";
import type { Planned } from "./differential_plan.ts";
import { shrink } from "./shrink.ts";

const ROOM = 8192;
const READS = [PR_IN_ACTION.readKeys, PR_IN_ACTION.readReservation, PR_IN_ACTION.readFullStatus];
/** Histories played to make one that differs shorter. */
const SHRINK_TRIES = 150;

/** The two LUNs. Both are emptied before each history. */
export interface Pair {
  readonly one: Nexuses;
  readonly other: Nexuses;
  /** Unit attentions (`06/2A/04`) that are not compared: a LUN that answers with one is asked once more. */
  readonly forgiven?: readonly string[];
}

/**
 * Plays a history on both. Throws an Error at the first difference, with the shortest history found that still differs;
 * `seed` is told.
 */
export async function sameAnswers(pair: Pair, steps: readonly Planned[], seed: number): Promise<void> {
  const difference = await firstDifference(pair, steps);
  if (difference === null) return;
  const cut = steps.slice(0, difference.step + 1);
  const short = await shrink(cut, async (those) => await firstDifference(pair, those) !== null, SHRINK_TRIES);
  const seen = await firstDifference(pair, short) ?? difference;
  const text = `seed ${seed}: after ${short.length} of ${steps.length} steps: ${seen.text}`;
  throw new Error(`${text}\n  ${seen.trail.join("\n  ")}`);
}

interface Difference {
  readonly step: number;
  readonly text: string;
  readonly trail: readonly string[];
}

async function firstDifference(
  { one, other, forgiven = [] }: Pair,
  steps: readonly Planned[],
): Promise<Difference | null> {
  const luns = [await prepare(one), await prepare(other)] as const;
  const starts = [await generationOf(one.A), await generationOf(other.A)] as const;
  const trail: string[] = [];
  for (const [step, { by, what, bytes, reader }] of steps.entries()) {
    const answers = await Promise.all(luns.map(async (lun) => {
      const { cdb, data } = bytes(lun);
      return resultOf(await ask(lun.nexuses[by], cdb, data, forgiven));
    }));
    trail.push(`${by}: ${what}: ${answers[0]}`);
    if (answers[0] !== answers[1]) return { step, text: `the other answers ${answers[1]}`, trail };
    for (const action of READS) {
      const [first, second] = await Promise.all(
        luns.map((lun, i) => readAs(lun, reader, action, starts[i]!, forgiven)),
      );
      if (first === second) continue;
      trail.push(`${reader}: ${prInActionName(action)}: ${first}`);
      return { step, text: `the other shows ${second}`, trail };
    }
  }
  return null;
}

async function readAs(
  lun: BenchLun,
  by: Player,
  action: number,
  start: number,
  forgiven: readonly string[],
): Promise<string> {
  return answerOf(lun, await ask(lun.nexuses[by], prInCdb(action, ROOM), ROOM, forgiven), action, start);
}

/** The answer, past attentions that are forgiven. */
async function ask(
  nexus: Nexus,
  cdb: Uint8Array,
  data: Uint8Array | number,
  forgiven: readonly string[],
): Promise<Reply> {
  for (;;) {
    const reply = await send(nexus, cdb, data);
    if (!forgiven.includes(resultOf(reply))) return reply;
  }
}

function answerOf(lun: BenchLun, reply: Reply, reads: number, start: number): string {
  const result = resultOf(reply);
  if (result !== "good") return result;
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
