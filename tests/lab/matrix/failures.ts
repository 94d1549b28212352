/**
 * What is done to a migration, when, and how it must end: the failure matrix as data. Pure.
 *
 *     moment    gate paused                    gate completed                  gate switchover
 *     before    memory is being sent           the same                        the same
 *     gate      both stand still               the source stands still         the source stands still
 *     late      taken, not told to run         it runs there, not taken        taken, migrate-continue not told
 *
 * @module
 */
import { GATES, type VmGate } from "../../../lib/migrate/vm/gates.ts";

/** When it happens: to what QEMU says prmig has not yet listened, to what prmig says QEMU has not. */
export type Moment = "before" | "gate" | "late";

/** What happens. */
export type Harm =
  | "none"
  | "destination killed"
  | "migrate_cancel"
  | "prmig killed"
  | "Ctrl-C"
  | "ssh cut"
  | "LUN missing"
  | "another LUN";

/** One run. */
export interface Cell {
  readonly type: number;
  readonly gate: VmGate;
  readonly harm: Harm;
  /** `null` for what is so from the beginning. */
  readonly moment: Moment | null;
}

/** How a run must end. */
export interface Expected {
  /** prmig's own exit code; 137 where it was killed. */
  readonly exits: readonly number[];
  /** The host on which the guest counts, when whatever prmig asks for has been done. */
  readonly side: "source" | "destination";
  /**
   * QEMU resumed the source by itself before its reservation was back (docs/migrate.md, gate `switchover`): the writes of
   * that moment may have met a conflict.
   */
  readonly mayFailWrites: boolean;
}

export const TYPES: readonly number[] = [5, 1, 3, 6, 7, 8];
const STRUCK: readonly Harm[] = ["destination killed", "migrate_cancel", "prmig killed", "ssh cut"];
const MOMENTS: readonly Moment[] = ["before", "gate", "late"];

/** All runs of one type: each gate's success first. */
export function cellsOf(type: number): Cell[] {
  return GATES.filter((gate) => gate !== "completed" || ![1, 3].includes(type)).flatMap((gate): Cell[] => [
    { type, gate, harm: "none", moment: null },
    ...STRUCK.flatMap((harm) => MOMENTS.map((moment) => ({ type, gate, harm, moment }))),
    { type, gate, harm: "LUN missing", moment: null },
    { type, gate, harm: "another LUN", moment: null },
  ]).filter((cell) => expected(cell) !== null);
}

/** `null` for what cannot happen, or what no live migration survives. */
export function expected({ gate, harm, moment }: Cell): Expected | null {
  const stays = (...exits: number[]): Expected => ({ exits, side: "source", mayFailWrites: false });
  const moves = (...exits: number[]): Expected => ({ exits, side: "destination", mayFailWrites: false });
  const resumedEarly = (...exits: number[]): Expected => ({ exits, side: "source", mayFailWrites: true });
  switch (harm) {
    case "none":
      return moves(0);
    case "LUN missing":
    case "another LUN":
      return stays(3);
    case "destination killed":
      // QEMU notices at migrate-continue: after the take.
      if (moment === "gate" && gate === "switchover") return resumedEarly(1);
      if (moment !== "late") return stays(1);
      // The guest ran there, and is lost with its QEMU, as in any live migration.
      if (gate === "completed") return null;
      // The answer to `cont` is lost: nobody knows whether it ran, and a person says that it did not.
      return gate === "paused" ? stays(5) : resumedEarly(1);
    case "migrate_cancel":
      if (moment === "before") return stays(1);
      // A migration that has completed cannot be cancelled any more: QEMU ignores it.
      if (gate === "paused" || gate === "completed" && moment === "late") return moves(0);
      return gate === "switchover" ? resumedEarly(1) : stays(1);
    case "prmig killed":
      return moment === "late" && gate !== "switchover" ? moves(137) : stays(137);
    case "Ctrl-C":
      // Before prmig has seen the gate it turns back; from then on it sees the switch through.
      return moment === "late" ? moves(0) : stays(130);
    case "ssh cut":
      // From the gate on the LUN tells the destination all it has to know.
      return moment === "before" ? stays(1) : moves(0);
  }
}

/** "type 5, paused: prmig killed (late)" */
export function nameOf({ type, gate, harm, moment }: Cell): string {
  return `type ${type}, ${gate}: ${harm === "none" ? "nothing fails" : harm}${moment === null ? "" : ` (${moment})`}`;
}
