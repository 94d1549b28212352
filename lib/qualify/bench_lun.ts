/**
 * The scratch LUN scenarios are played on: three nexuses, who they are, and how to bring the LUN back to nothing.
 *
 * Only for a LUN nobody uses: getting it clean removes every registration there is, whoever made it.
 *
 * @module
 */
import { BeReader } from "../bytes.ts";
import { PrmigError } from "../errors.ts";
import { PR_IN_ACTION, PR_OUT_ACTION, prOutCdb } from "../pr/cdb.ts";
import { type Capabilities, decodeCapabilities } from "../pr/capabilities.ts";
import { decodeFullStatus } from "../pr/full_status.ts";
import type { Nexus, Reply } from "../pr/nexus.ts";
import { encodePrOut } from "../pr/pr_out.ts";
import { decodeReadKeys } from "../pr/read_keys.ts";
import type { TransportId } from "../pr/transport_id.ts";
import { ordinaryCommand } from "./ordinary.ts";
import { INTRODUCTION } from "./own_keys.ts";
import { type Nexuses, playersOf, type SomeNexuses } from "./players.ts";
import { type Player, PLAYERS } from "./scenario.ts";
import { resultOf, send, sendIn } from "./talk.ts";

export type { Nexuses, SomeNexuses } from "./players.ts";

/** A nexus as READ FULL STATUS names it. */
export interface Port {
  /** Initiator port. */
  readonly transportId: TransportId;
  /** Target port. */
  readonly relativeTargetPort: number | "all";
}

/** What is learned of the LUN once, before the scenarios. */
export interface BenchLun<N extends SomeNexuses = Nexuses> {
  /** The players. */
  readonly nexuses: N;
  /** `null` when the device has no READ FULL STATUS: players are then known by their keys only. */
  readonly ports: { readonly [P in keyof N]: Port } | null;
  /** REPORT CAPABILITIES of the target. */
  readonly capabilities: Capabilities;
  /** Bytes of a logical block. */
  readonly blockBytes: number;
}

/** Room for an answer with many registrations. */
export const ROOM = 8192;
const MOST_ATTENTIONS = 10;

/**
 * Cleans the LUN and finds out who the players are. Rejects with PrmigError `device` or `refused` when it cannot.
 * `clean` is how it is cleaned; by default of everything, whoever made it.
 */
export async function prepare<N extends SomeNexuses>(
  nexuses: N,
  cleaned: (nexuses: N) => Promise<void> = clean,
): Promise<BenchLun<N>> {
  await cleaned(nexuses);
  const capacity = await must(nexuses.A, "readCapacity10");
  const capabilities = decodeCapabilities((await sendIn(nexuses.A, PR_IN_ACTION.reportCapabilities, 8)).dataIn);
  if (capabilities.kind !== "complete") throw trouble(nexuses.A, "REPORT CAPABILITIES is cut short");
  const ports = await introduce(nexuses);
  await cleaned(nexuses);
  const blockBytes = new BeReader(capacity.dataIn).u32(4, "LOGICAL BLOCK LENGTH");
  return { nexuses, ports, capabilities: capabilities.capabilities, blockBytes };
}

/** Takes every reservation and registration from the LUN, and every waiting unit attention from the players. */
export async function clean(nexuses: SomeNexuses): Promise<void> {
  const players = playersOf(nexuses);
  for (const [, nexus] of players) await drain(nexus);
  for (const [, nexus] of players) await must(nexus, "release6", ["good", "conflict"]);
  const key = INTRODUCTION;
  const registered = await out(nexuses.A, PR_OUT_ACTION.registerAndIgnore, 0n, key);
  if (!["good", "02/08/00"].includes(registered)) {
    throw trouble(nexuses.A, `REGISTER AND IGNORE EXISTING KEY answers ${registered}`);
  }
  const cleared = await out(nexuses.A, PR_OUT_ACTION.clear, key, 0n);
  if (cleared !== "good") throw trouble(nexuses.A, `CLEAR answers ${cleared}`);
  for (const [, nexus] of players) await drain(nexus);
  const keys = decodeReadKeys((await sendIn(nexuses.A, PR_IN_ACTION.readKeys, ROOM)).dataIn);
  if (keys.keys.length > 0) throw trouble(nexuses.A, `${keys.keys.length} keys are there again after CLEAR`);
}

/** TEST UNIT READY until nothing waits. */
async function drain(nexus: Nexus): Promise<void> {
  for (let i = 0; i < MOST_ATTENTIONS; i++) {
    const { cdb, data } = ordinaryCommand("testUnitReady", 0);
    const result = resultOf(await send(nexus, cdb, data));
    if (!result.startsWith("06/")) return;
  }
  throw trouble(nexus, `more than ${MOST_ATTENTIONS} unit attentions`);
}

/** Everybody registers under a key of its own; where fewer are listed then, two of them are one. */
async function introduce<N extends SomeNexuses>(nexuses: N): Promise<BenchLun<N>["ports"]> {
  const players = playersOf(nexuses);
  for (const [player, nexus] of players) {
    const result = await out(nexus, PR_OUT_ACTION.register, 0n, introductionOf(player));
    if (result === "conflict") throw sameNexus(nexus); // it is registered already, a moment after nobody was
    if (!["good", "02/08/00"].includes(result)) throw trouble(nexus, `REGISTER answers ${result}`);
  }
  const listed = await sendIn(nexuses.A, PR_IN_ACTION.readKeys, ROOM);
  if (resultOf(listed) !== "good") throw trouble(nexuses.A, `READ KEYS answers ${resultOf(listed)}`);
  const { keys } = decodeReadKeys(listed.dataIn);
  const missing = players.find(([player]) => !keys.includes(introductionOf(player)));
  if (missing !== undefined) throw sameNexus(missing[1]);
  const reply = await sendIn(nexuses.A, PR_IN_ACTION.readFullStatus, ROOM);
  if (["05/24/00", "05/20/00"].includes(resultOf(reply))) return null;
  if (resultOf(reply) !== "good") throw trouble(nexuses.A, `READ FULL STATUS answers ${resultOf(reply)}`);
  const { registrations } = decodeFullStatus(reply.dataIn);
  const ports = players.map(([player, nexus]) => {
    const found = registrations.find(({ key }) => key === introductionOf(player));
    if (found === undefined) throw sameNexus(nexus);
    return [player, { transportId: found.transportId, relativeTargetPort: found.relativeTargetPort }] as const;
  });
  // One entry for each of `players`, which are the keys of N: types cannot follow it through the list.
  return Object.fromEntries(ports) as { [P in keyof N]: Port };
}

function introductionOf(player: Player): bigint {
  return INTRODUCTION + BigInt(PLAYERS.indexOf(player));
}

async function out(nexus: Nexus, action: number, rk: bigint, sark: bigint): Promise<string> {
  return resultOf(await send(nexus, prOutCdb({ action }), encodePrOut({ rk, sark })));
}

async function must(
  nexus: Nexus,
  name: "readCapacity10" | "release6",
  accepted: readonly string[] = ["good"],
): Promise<Reply> {
  const { cdb, data } = ordinaryCommand(name, 0);
  const reply = await send(nexus, cdb, data);
  const result = resultOf(reply);
  // A target without RELEASE(6) has no SPC-2 reservation to release.
  if (accepted.includes(result) || (name === "release6" && result === "05/20/00")) return reply;
  throw trouble(nexus, `${name} answers ${result}`);
}

function sameNexus(nexus: Nexus): PrmigError {
  return new PrmigError("refused", {
    message: `Cannot play scenarios on ${nexus.address}: two of the devices are one and the same nexus`,
    device: nexus.address,
    lun: "Registrations of the scenarios (keys 0x70726d6700000...) may be left; they are taken away.",
    remedy: "name the LUN through initiators with different names, or through different target ports",
  });
}

function trouble(nexus: Nexus, what: string): PrmigError {
  return new PrmigError("device", {
    message: `Cannot play scenarios on ${nexus.address}: ${what}`,
    device: nexus.address,
    lun: "Registrations of the scenarios (keys 0x70726d67...) may be left.",
    remedy: `prmig dump ${nexus.address}`,
  });
}
