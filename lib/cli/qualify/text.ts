/**
 * A report for a terminal: who was asked, a table of chapters, what is to be known, the verdict. Pure.
 *
 * @module
 */
import type { Limit, NotRun } from "../../qualify/conclusion.ts";
import { clean } from "../clean.ts";
import type { Colour } from "../colour.ts";
import { table, wrap } from "../layout.ts";
import { areaRows, type Report, type ReportedNexus, verdictLine } from "./report.ts";

const STYLE_OF = { "fit": "good", "fit with limits": "notice", "unfit": "bad" } as const;

/** The whole of it. */
export function reportText(report: Report, colour: Colour, columns: number): string {
  const { identity, conclusion, target, nexuses, results, sent, tookMs } = report;
  const { vendor, product, revision, designator, serial } = identity;
  const rows = areaRows(results);
  const head = ["SCENARIOS", "PASS", "DEVIATES", "FAIL", "NOT RUN"];
  return [
    ...table([
      ["lun", clean(designator ?? "")],
      ["product", clean(`${vendor} ${product}, revision ${revision}`)],
      ["serial", clean(serial ?? "-")],
      ["target", target],
      ...nexuses.map((nexus) => [`nexus ${nexus.player}`, clean(nexusText(nexus))]),
      ["sent", `${sent.length} commands in ${(tookMs / 1000).toFixed(1)} s`],
    ], "  "),
    "",
    ...table([
      head,
      ...rows.map(({ area, pass, deviates, fail, skipped }) => [
        area,
        ...[pass, deviates, fail, skipped].map((count, i) =>
          (count === 0 ? "-" : String(count)).padStart(head[i + 1]!.length)
        ),
      ]),
    ], "  "),
    ...section("What makes it unfit:", conclusion.obstacles, columns),
    ...section("Limits:", conclusion.limits, columns),
    ...notRunText(conclusion.notRun, columns),
    "",
    colour[STYLE_OF[conclusion.fitness]](clean(verdictLine(report))),
  ].join("\n");
}

function nexusText({ address, port, driver }: ReportedNexus): string {
  const who = port === null ? "" : `: ${port.transportId.protocol} ${port.transportId.address}`;
  const through = port === null ? "" : `, target port ${port.relativeTargetPort}`;
  return `${address}${who}${through}${driver === null ? "" : ` (${driver})`}`;
}

function section(title: string, limits: readonly Limit[], columns: number): string[] {
  if (limits.length === 0) return [];
  return [
    "",
    title,
    ...limits.flatMap(({ says, means, scenarios }) => [
      ...wrap(clean(`- ${says}${scenarios.length === 0 ? "" : ` [${scenarios.join(" ")}]`}`), columns, "  "),
      ...wrap(clean(means), columns, "    "),
    ]),
  ];
}

function notRunText(notRun: readonly NotRun[], columns: number): string[] {
  if (notRun.length === 0) return [];
  const lines = notRun.flatMap(({ reason, scenarios }) =>
    wrap(clean(`- ${reason}: ${scenarios.join(" ")}`), columns, "  ")
  );
  return ["", "Not run:", ...lines];
}
