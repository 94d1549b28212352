/**
 * All that a qualification has found, for whoever renders it, and as JSON. Pure.
 *
 * @module
 */
import { EXIT } from "../../errors.ts";
import type { Capabilities } from "../../pr/capabilities.ts";
import type { Port } from "../../qualify/bench_lun.ts";
import type { Conclusion, Fitness, Limit } from "../../qualify/conclusion.ts";
import type { Player } from "../../qualify/scenario.ts";
import { type Area, AREAS, stakeOf } from "../../qualify/stakes.ts";
import type { ScenarioResult } from "../../qualify/verdict.ts";
import type { LunIdentity } from "../../scsi/identity.ts";
import type { Sent } from "./recorder.ts";

/** One of the nexuses. */
export interface ReportedNexus {
  readonly player: Player;
  /** As it was named on the command line. */
  readonly address: string;
  /** As READ FULL STATUS names it; `null` where there is none. */
  readonly port: Port | null;
  readonly driver: string | null;
}

/** What was found. */
export interface Report {
  readonly version: string;
  /** When it began, ISO 8601. */
  readonly began: string;
  /** Milliseconds it took. */
  readonly tookMs: number;
  readonly identity: LunIdentity;
  readonly capabilities: Capabilities;
  /** Kind of target, for people. */
  readonly target: string;
  readonly nexuses: readonly ReportedNexus[];
  readonly results: readonly ScenarioResult[];
  readonly conclusion: Conclusion;
  /** What was told before: what was removed. */
  readonly notes: readonly string[];
  readonly sent: readonly Sent[];
}

/** Exit code of each verdict. `unfit`: the device cannot do it. */
export const EXIT_OF: Readonly<Record<Fitness, number>> = {
  "fit": EXIT.ok,
  "fit with limits": EXIT.failed,
  "unfit": EXIT.device,
};

/** How often each ending came in one chapter. */
export interface AreaRow {
  readonly area: Area;
  readonly pass: number;
  readonly deviates: number;
  readonly fail: number;
  readonly skipped: number;
}

/** A row for every chapter. */
export function areaRows(results: readonly ScenarioResult[]): AreaRow[] {
  return AREAS.map((area) => {
    const of = results.filter(({ scenario }) => stakeOf(scenario).area === area);
    const count = (verdict: ScenarioResult["verdict"]): number => of.filter((each) => each.verdict === verdict).length;
    return {
      area,
      pass: count("pass"),
      deviates: count("deviates"),
      fail: count("fail"),
      skipped: count("skipped"),
    };
  });
}

/** The verdict in one line. */
export function verdictLine({ identity, conclusion: { fitness, limits, obstacles } }: Report): string {
  const name = `${identity.vendor} ${identity.product}, ${identity.designator}`;
  const known = limits.length === 1 ? "1 limit" : `${limits.length} limits`;
  switch (fitness) {
    case "fit":
      return `fit: ${name} does all that moving reservations needs`;
    case "fit with limits":
      return `fit with limits: ${name} does all that moving reservations needs; ${known} to know of`;
    case "unfit":
      return `unfit: ${name} fails ${obstacles.length} of the scenarios that moving reservations needs`;
  }
}

/** For programs: one object. */
export function reportJson(report: Report): unknown {
  const { version, began, tookMs, identity, capabilities, target, nexuses, results, conclusion, notes, sent } = report;
  return {
    prmig: version,
    began,
    seconds: Math.round(tookMs) / 1000,
    verdict: conclusion.fitness,
    lun: identity,
    target,
    capabilities,
    nexuses: nexuses.map(({ player, address, port, driver }) => ({
      nexus: player,
      device: address,
      transportId: port?.transportId ?? null,
      relativeTargetPort: port?.relativeTargetPort ?? null,
      driver,
    })),
    notes,
    obstacles: conclusion.obstacles.map(limitJson),
    limits: conclusion.limits.map(limitJson),
    notRun: conclusion.notRun,
    commands: sent.length,
    scenarios: results.map(({ scenario, verdict, reason, steps }) => {
      const { area, needed } = stakeOf(scenario);
      return { id: scenario.id, title: scenario.title, area, needed, verdict, reason, steps };
    }),
  };
}

function limitJson({ says, means, scenarios }: Limit): unknown {
  return { says, means, scenarios };
}
