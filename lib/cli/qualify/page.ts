/**
 * A report as one HTML file that needs nothing else: what a storage vendor is sent. Pure.
 *
 *   verdict | who was asked | what is to be known | chapters | every scenario with its steps and every command sent
 *
 * @module
 */
import { toHtml } from "hast-util-to-html";
import { h } from "hastscript";
import { toHex } from "../../bytes.ts";
import { describeCommand, describeReply } from "../../pr/describe.ts";
import type { Limit } from "../../qualify/conclusion.ts";
import { stakeOf } from "../../qualify/stakes.ts";
import type { ScenarioResult, StepResult } from "../../qualify/verdict.ts";
import { clean } from "../clean.ts";
import type { Sent } from "./recorder.ts";
import { areaRows, type Report, verdictLine } from "./report.ts";

type Node = ReturnType<typeof h>;

const STYLE = `
body { font: 14px system-ui, sans-serif; color: #111827; margin: 24px; max-width: 1200px; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 32px; }
.verdict { padding: 10px 14px; border-radius: 6px; font-weight: 600; }
.fit { background: #dcfce7; } .limits { background: #fef3c7; } .unfit { background: #fee2e2; }
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid #e5e7eb; vertical-align: top; }
th { color: #6b7280; font-weight: 500; white-space: nowrap; }
code, .bytes { font: 12px ui-monospace, monospace; word-break: break-all; }
details { margin: 4px 0; } details table { margin: 6px 0 14px 18px; }
summary { cursor: pointer; }
.pass { color: #15803d; } .fail, .differs { color: #b91c1c; } .deviates { color: #b45309; } .skipped { color: #6b7280; }
.means { color: #4b5563; }
`;

const CLASS_OF = { "fit": "fit", "fit with limits": "limits", "unfit": "unfit" } as const;

/** The file. */
export function htmlFile(report: Report): string {
  const { conclusion, results, sent, notes } = report;
  const title = `prmig qualify: ${clean(report.identity.designator ?? "")}`;
  const page = h(null, [
    h("html", { lang: "en" }, [
      h("head", [h("meta", { charSet: "utf-8" }), h("title", title), h("style", STYLE)]),
      h("body", [
        h("h1", title),
        h("p", { className: ["verdict", CLASS_OF[conclusion.fitness]] }, clean(verdictLine(report))),
        h("h2", "Who was asked"),
        facts(report),
        ...notes.map((note) => h("p", `Note: ${clean(note)}`)),
        ...limitsPart("What makes it unfit", conclusion.obstacles),
        ...limitsPart("Limits", conclusion.limits),
        h("h2", "Chapters"),
        chapters(results),
        h("h2", "Scenarios"),
        ...results.map((result) => scenarioPart(result, sent)),
        h("h2", "Commands before and after"),
        details(
          "finding out who is who, and tidying up at the end",
          sent.filter(({ scenario }) => scenario === null),
        ),
      ]),
    ]),
  ]);
  return `<!doctype html>\n${toHtml(page)}\n`;
}

function facts({ identity, target, capabilities, nexuses, began, tookMs, sent, version }: Report): Node {
  const { vendor, product, revision, serial, designators } = identity;
  const yes = (flag: boolean): string => flag ? "yes" : "no";
  const rows: [string, string][] = [
    ["product", `${vendor} ${product}`],
    ["firmware", revision],
    ["serial number", serial ?? "-"],
    ["designators", designators.join(", ")],
    ["kind of target", target],
    ["types", capabilities.types.join(" ")],
    ["APTPL", yes(capabilities.ptplCapable)],
    ["ALL_TG_PT", yes(capabilities.allTargetPorts)],
    ["SPEC_I_PT", yes(capabilities.specifyInitiatorPorts)],
    ...nexuses.map(({ player, address, port, driver }): [string, string] => [
      `nexus ${player}`,
      address +
      (port === null
        ? ""
        : `, ${port.transportId.protocol} ${port.transportId.address}, target port ${port.relativeTargetPort}`) +
      (driver === null ? "" : `, ${driver}`),
    ]),
    ["played", `${began}, ${(tookMs / 1000).toFixed(1)} s, ${sent.length} commands, prmig ${version}`],
  ];
  return h("table", rows.map(([name, value]) => h("tr", [h("th", name), h("td", clean(value))])));
}

function limitsPart(title: string, limits: readonly Limit[]): Node[] {
  if (limits.length === 0) return [];
  const rows = limits.map(({ says, means, scenarios }) =>
    h("tr", [
      h("td", clean(says)),
      h("td", { className: ["means"] }, clean(means)),
      h("td", scenarios.map((id) => [h("a", { href: `#${id}` }, id), " "]).flat()),
    ])
  );
  return [h("h2", title), tableOf(["what", "what it means for a migration", "seen in"], rows)];
}

function chapters(results: readonly ScenarioResult[]): Node {
  const rows = areaRows(results).map(({ area, pass, deviates, fail, skipped }) =>
    h("tr", [area, pass, deviates, fail, skipped].map((cell) => h("td", String(cell))))
  );
  return tableOf(["chapter", "pass", "deviates", "fail", "not run"], rows);
}

function scenarioPart(result: ScenarioResult, sent: readonly Sent[]): Node {
  const { scenario, verdict, reason, steps } = result;
  const { needed, means } = stakeOf(scenario);
  const open = verdict === "fail";
  return h("details", { id: scenario.id, open }, [
    h("summary", [h("span", { className: [verdict] }, verdict), ` ${scenario.id} ${scenario.title}`]),
    ...(reason === null ? [] : [h("p", clean(reason))]),
    h("p", { className: ["means"] }, `${needed ? "Needed for migration" : "Nice to have"}. If it fails: ${means}.`),
    ...(steps.length === 0 ? [] : [tableOf(["", "step", "seen", "wanted"], steps.map(stepRow))]),
    ...(steps.length === 0 ? [] : [details("every command", sent.filter((each) => each.scenario === scenario.id))]),
  ]);
}

function stepRow({ number, what, wanted, seen, ok }: StepResult): Node {
  return h(
    "tr",
    { className: ok ? [] : ["differs"] },
    [String(number), what, seen, ok ? "" : wanted].map((cell) => h("td", clean(cell))),
  );
}

function details(title: string, sent: readonly Sent[]): Node {
  const rows = sent.map(({ by, cdb, data, reply }) =>
    h("tr", [
      h("td", by),
      h("td", { className: ["bytes"] }, toHex(cdb) + (typeof data === "number" ? "" : ` ${shortHex(data)}`)),
      h("td", clean(describeCommand(cdb, data))),
      h("td", clean(typeof reply === "string" ? `no answer: ${reply}` : describeReply(cdb, reply))),
      h("td", { className: ["bytes"] }, typeof reply === "string" ? "" : shortHex(reply.dataIn)),
    ])
  );
  return h("details", [
    h("summary", `${title} (${sent.length})`),
    tableOf(["nexus", "CDB, data-out", "command", "answer", "data-in"], rows),
  ]);
}

const MOST_SHOWN_BYTES = 256;

/** Blocks of the medium say nothing; reservation data fits. */
function shortHex(bytes: Uint8Array): string {
  if (bytes.length <= MOST_SHOWN_BYTES) return toHex(bytes);
  return `${toHex(bytes.subarray(0, 16))}... (${bytes.length} bytes)`;
}

function tableOf(head: readonly string[], rows: readonly Node[]): Node {
  return h("table", [h("thead", h("tr", head.map((cell) => h("th", cell)))), h("tbody", [...rows])]);
}
