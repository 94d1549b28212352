/**
 * Takes back what scenarios have put on a LUN, and nothing else: a registration under any other key stays as it is.
 *
 *   drain -> RELEASE(6) -> READ KEYS -> every player unregisters what it has under a scenario's key
 *         -> left behind by a nexus that is gone: PREEMPT of that key, by a key of our own
 *         -> a target that keeps its reservation without any registration: CLEAR
 *
 * A player whose nexus fails is passed over: the others clean up behind it.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { PR_IN_ACTION } from "../pr/cdb.ts";
import { prOut, type PrOutRequest } from "../pr/commands.ts";
import type { Nexus } from "../pr/nexus.ts";
import { patient } from "../pr/patient.ts";
import { decodeReadKeys } from "../pr/read_keys.ts";
import { decodeReadReservation } from "../pr/read_reservation.ts";
import { isPrType, type PrType, type Reservation } from "../pr/types.ts";
import { ordinaryCommand } from "./ordinary.ts";
import { INTRODUCTION, isScenarioKey, SWEEPER } from "./own_keys.ts";
import type { Player } from "./scenario.ts";
import { COMMAND_TIMEOUT_MS, resultOf, send, sendIn } from "./talk.ts";
import { playersOf, type SomeNexuses } from "./players.ts";

/** What became of tidying up. */
export interface Tidied {
  /** Keys of scenarios that were there and are not any more. */
  readonly removed: readonly bigint[];
  /** Keys of somebody else, which were left alone. */
  readonly foreign: readonly bigint[];
  /** Players whose nexus does not work, with what it said. */
  readonly broken: ReadonlyMap<Player, unknown>;
}

interface Seen {
  readonly own: readonly bigint[];
  readonly foreign: readonly bigint[];
  readonly reservation: Reservation | null;
}

const ROOM = 8192;
/** Any valid type: it is ignored where PREEMPT only removes registrations. */
const SOME_TYPE = 5;

/** Tidies up. Rejects with PrmigError `unsure` when no nexus works, or the LUN cannot be brought back. */
export async function tidy(nexuses: SomeNexuses): Promise<Tidied> {
  const sweep = new Sweep(nexuses);
  await sweep.everyone(drain);
  // Nothing shows the SPC-2 reservation of a scenario that broke off where a target keeps the two kinds apart (tgt).
  await sweep.everyone((nexus) => send(nexus, ...words("release6")));
  let seen = await sweep.look();
  const removed = seen.own;
  for (const key of removed) {
    await sweep.everyone((nexus) => out(nexus, unregister(key)));
  }
  if (removed.length > 0) seen = await sweep.look();
  for (const key of seen.own) await sweep.first((nexus) => sweep.preempt(nexus, key, seen.reservation));
  if (seen.own.length > 0) seen = await sweep.look();
  if (seen.foreign.length === 0 && (seen.own.length > 0 || seen.reservation !== null)) {
    await sweep.first((nexus) => sweep.clear(nexus));
    seen = await sweep.look();
  }
  if (seen.own.length > 0 || (seen.reservation !== null && seen.foreign.length === 0)) throw stuck(nexuses, seen);
  await sweep.everyone(drain);
  return { removed, foreign: seen.foreign, broken: sweep.broken };
}

/**
 * Takes back what one nexus alone has put there: for the far end of a connection that ended. Rejections of the nexus
 * pass through.
 */
export async function leave(own: Nexus): Promise<void> {
  const nexus = patient(own);
  await drain(nexus);
  let keys = await readKeys(nexus);
  if (keys === null) {
    await send(nexus, ...words("release6"));
    keys = await readKeys(nexus) ?? [];
  }
  for (const key of new Set(keys.filter(isScenarioKey))) await out(nexus, unregister(key));
}

/** The players whose nexus still works, and what is done through them. */
class Sweep {
  readonly broken = new Map<Player, unknown>();
  readonly #players: readonly (readonly [Player, Nexus])[];

  constructor(nexuses: SomeNexuses) {
    this.#players = playersOf(nexuses).map(([player, nexus]) => [player, patient(nexus)]);
  }

  /** Has every player do it whose nexus works. */
  async everyone(work: (nexus: Nexus) => Promise<unknown>): Promise<void> {
    for (const [player, nexus] of this.#players) {
      if (this.broken.has(player)) continue;
      try {
        await work(nexus);
      } catch (error) {
        this.broken.set(player, error);
      }
    }
  }

  /** Has the first player do it whose nexus works. */
  async first<T>(work: (nexus: Nexus) => Promise<T>): Promise<T> {
    for (const [player, nexus] of this.#players) {
      if (this.broken.has(player)) continue;
      try {
        return await work(nexus);
      } catch (error) {
        this.broken.set(player, error);
      }
    }
    throw unreachable([...this.broken.values()]);
  }

  /** Who is registered, and what is reserved. An SPC-2 reservation, which hides that, is given back first. */
  async look(): Promise<Seen> {
    const hidden = await this.first(async (nexus) => await readKeys(nexus) === null);
    if (hidden) await this.everyone((nexus) => send(nexus, ...words("release6")));
    return await this.first(async (nexus) => {
      const keys = await readKeys(nexus);
      if (keys === null) throw failed("READ KEYS", "conflict");
      const answer = await sendIn(nexus, PR_IN_ACTION.readReservation, ROOM);
      if (resultOf(answer) !== "good") throw failed("READ RESERVATION", resultOf(answer));
      const said = decodeReadReservation(answer.dataIn);
      const distinct = [...new Set(keys)];
      return {
        own: distinct.filter(isScenarioKey),
        foreign: distinct.filter((key) => !isScenarioKey(key)),
        reservation: said.kind === "complete" ? said.reservation : null,
      };
    });
  }

  /** Removes every registration under a key that no working player stands under. */
  async preempt(nexus: Nexus, key: bigint, reservation: Reservation | null): Promise<void> {
    const type: PrType = isPrType(reservation?.type ?? 0) ? reservation!.type as PrType : SOME_TYPE;
    const own = key === SWEEPER ? INTRODUCTION : SWEEPER; // never one's own key: that would remove oneself, too
    await out(nexus, { action: "register", rk: 0n, sark: own, aptpl: false });
    await out(nexus, { action: "preempt", rk: own, sark: key, type });
    await out(nexus, { action: "register", rk: own, sark: 0n, aptpl: false });
  }

  /** The last resort, for a target that does not let go otherwise; nobody else is registered. */
  async clear(nexus: Nexus): Promise<void> {
    await out(nexus, { action: "registerAndIgnore", sark: SWEEPER, aptpl: false });
    await out(nexus, { action: "clear", rk: SWEEPER });
  }
}

/** A PERSISTENT RESERVE OUT that may conflict: then it was not for this nexus, or not needed any more. */
async function out(nexus: Nexus, request: PrOutRequest): Promise<void> {
  const result = resultOf(await prOut(nexus, request, { timeoutMs: COMMAND_TIMEOUT_MS }));
  // 02/08/00: LIO has done it and could not write its APTPL file
  if (!["good", "conflict", "02/08/00"].includes(result)) throw failed(request.action, result);
}

/** Removes a registration under this key, and no other. */
function unregister(key: bigint): PrOutRequest {
  return { action: "register", rk: key, sark: 0n, aptpl: false };
}

/** Takes every waiting unit attention. */
async function drain(nexus: Nexus): Promise<void> {
  const result = resultOf(await send(nexus, ...words("testUnitReady")));
  if (result === "lost" || result.startsWith("06/")) throw failed("TEST UNIT READY", result);
}

/** The keys; `null` while an SPC-2 reservation hides them. */
async function readKeys(nexus: Nexus): Promise<readonly bigint[] | null> {
  const reply = await sendIn(nexus, PR_IN_ACTION.readKeys, ROOM);
  const result = resultOf(reply);
  if (result === "conflict") return null;
  if (result !== "good") throw failed("READ KEYS", result);
  return decodeReadKeys(reply.dataIn).keys;
}

function words(name: "testUnitReady" | "release6"): [Uint8Array, Uint8Array | number] {
  const { cdb, data } = ordinaryCommand(name, 0);
  return [cdb, data];
}

function failed(command: string, result: string): Error {
  return new Error(`${command} answers ${result}`);
}

function unreachable(errors: readonly unknown[]): PrmigError {
  const why = errors.map((error) => error instanceof Error ? error.message : String(error));
  return new PrmigError("unsure", {
    message: `Cannot tidy up: ${[...new Set(why)].join("; ")}`,
    lun: "Registrations of the scenarios (keys 0x70726d6700000...) may be left; the next run takes them away.",
    remedy: "run the same prmig qualify again when the LUN can be reached",
  });
}

function stuck({ A }: SomeNexuses, { own, reservation }: Seen): PrmigError {
  const left = own.length > 0 ? `${own.length} keys of the scenarios` : `a reservation of type ${reservation?.type}`;
  return new PrmigError("unsure", {
    message: `Cannot tidy up ${A.address}: ${left} stayed, whatever was sent`,
    device: A.address,
    lun: "Not clean: no command of the standard brought it back.",
    remedy: `prmig dump ${A.address}, then reset the LUN on the target`,
  });
}
