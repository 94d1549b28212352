/**
 * The words scenarios are written in: one function a step. Pure.
 *
 * @module
 */
import { PR_IN_ACTION, PR_OUT_ACTION, type PrInAction } from "../pr/cdb.ts";
import type { OrdinaryName } from "./ordinary.ts";
import type { Act, CommandStep, EventStep, Held, OutRequest, Player, Result, StateStep, Trouble } from "./scenario.ts";

/** Result wanted: one, or any of several. */
export type Want = Result | readonly Result[];

function command(by: Player, act: Act, want: Want): CommandStep {
  return { kind: "command", by, act, want: typeof want === "string" ? [want] : want, data: null, trouble: null };
}

/** A PERSISTENT RESERVE OUT, field by field. */
export function out(by: Player, request: OutRequest, want: Want = "good"): CommandStep {
  return command(by, { kind: "out", request }, want);
}

/** REGISTER RK -> SARK, APTPL 0. */
export function register(by: Player, rk: bigint, sark: bigint, want: Want = "good"): CommandStep {
  return out(by, { action: PR_OUT_ACTION.register, rk, sark }, want);
}

/** REGISTER RK -> SARK with APTPL as given. */
export function registerAptpl(by: Player, rk: bigint, sark: bigint, aptpl: boolean): CommandStep {
  return out(by, { action: PR_OUT_ACTION.register, rk, sark, aptpl });
}

/** REGISTER AND IGNORE EXISTING KEY; `rk` is what stands in the ignored field. */
export function registerIgnoring(by: Player, sark: bigint, want: Want = "good", rk = 0n): CommandStep {
  return out(by, { action: PR_OUT_ACTION.registerAndIgnore, rk, sark }, want);
}

/** RESERVE. */
export function reserve(by: Player, rk: bigint, type: number, want: Want = "good"): CommandStep {
  return out(by, { action: PR_OUT_ACTION.reserve, rk, type }, want);
}

/** RELEASE. */
export function release(by: Player, rk: bigint, type: number, want: Want = "good"): CommandStep {
  return out(by, { action: PR_OUT_ACTION.release, rk, type }, want);
}

/** CLEAR. */
export function clear(by: Player, rk: bigint, want: Want = "good"): CommandStep {
  return out(by, { action: PR_OUT_ACTION.clear, rk }, want);
}

/** PREEMPT. */
export function preempt(by: Player, rk: bigint, sark: bigint, type: number, want: Want = "good"): CommandStep {
  return out(by, { action: PR_OUT_ACTION.preempt, rk, sark, type }, want);
}

/** PREEMPT AND ABORT. */
export function preemptAndAbort(by: Player, rk: bigint, sark: bigint, type: number, want: Want = "good"): CommandStep {
  return out(by, { action: PR_OUT_ACTION.preemptAndAbort, rk, sark, type }, want);
}

/** REGISTER AND MOVE to another player's nexus. */
export function move(
  by: Player,
  to: Player,
  fields: { readonly rk: bigint; readonly sark: bigint; readonly unreg: boolean },
  want: Want = "good",
): CommandStep {
  return out(by, { action: PR_OUT_ACTION.registerAndMove, to, ...fields }, want);
}

/** PERSISTENT RESERVE IN; `data` as hex with `..` for any byte. */
export function prIn(
  by: Player,
  action: PrInAction | number,
  allocationLength: number,
  want: Want = "good",
  data: string | null = null,
): CommandStep {
  const code = typeof action === "number" ? action : PR_IN_ACTION[action];
  return {
    ...command(by, { kind: "in", action: code, allocationLength }, want),
    data: data?.replaceAll(" ", "") ?? null,
  };
}

/** An everyday command. */
export function run(by: Player, name: OrdinaryName, want: Want = "good"): CommandStep {
  return command(by, { kind: "ordinary", name }, want);
}

/** Bytes as they are. */
export function raw(by: Player, cdb: string, dataOut: string, want: Want): CommandStep {
  return command(by, { kind: "raw", cdb, dataOut }, want);
}

/** TEST UNIT READY finds nothing waiting. */
export function quiet(...players: Player[]): CommandStep[] {
  return players.map((by) => run(by, "testUnitReady"));
}

/** TEST UNIT READY is told 06/`code`, once. */
export function told(by: Player, code: string): CommandStep[] {
  return [run(by, "testUnitReady", `06/${code}`), run(by, "testUnitReady")];
}

/** The same command with trouble on its way. */
export function troubled(step: CommandStep, trouble: Trouble, want: Want): CommandStep {
  return { ...step, trouble, want: typeof want === "string" ? [want] : want };
}

/** Reservation of a type held by a player, or by all registrants. */
export function held(type: number, by: Player | "all"): Held {
  return { type, by };
}

/** The LUN, read whole. */
export function state(
  registered: StateStep["registered"],
  reservation: Held | null,
  { generation = null, ptpl = null, via = null }: Partial<Pick<StateStep, "generation" | "ptpl" | "via">> = {},
): StateStep {
  return { kind: "state", via, registered, held: reservation, generation, ptpl };
}

/** Something that happens. */
export function event(name: EventStep["event"], of: Player | null = null): EventStep {
  return { kind: "event", event: name, of };
}
