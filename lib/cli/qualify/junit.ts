/**
 * A report as JUnit XML, as test dashboards read it: a suite a chapter, a case a scenario. Pure.
 *
 * A known deviation passes, with its reason in the output; what failed has its steps; what was not played is skipped.
 *
 * @module
 */
import { stakeOf } from "../../qualify/stakes.ts";
import { describeResult, type ScenarioResult } from "../../qualify/verdict.ts";
import { areaRows, type Report, verdictLine } from "./report.ts";

/** The file. */
export function junitFile(report: Report): string {
  const { results, began, tookMs, identity, version } = report;
  const count = (verdict: ScenarioResult["verdict"]): number => results.filter((r) => r.verdict === verdict).length;
  const totals = {
    name: "prmig qualify",
    tests: results.length,
    failures: count("fail"),
    skipped: count("skipped"),
    errors: 0,
    time: (tookMs / 1000).toFixed(3),
    timestamp: began.slice(0, 19),
  };
  const properties = {
    verdict: report.conclusion.fitness,
    prmig: version,
    vendor: identity.vendor,
    product: identity.product,
    revision: identity.revision,
    designator: identity.designator ?? "",
  };
  const suites = areaRows(results).map(({ area, pass, deviates, fail, skipped }, i) => {
    const cases = results.filter(({ scenario }) => stakeOf(scenario).area === area).map(caseOf);
    const first = i === 0 ? [propertiesOf(properties)] : [];
    const attributes = { name: area, tests: pass + deviates + fail + skipped, failures: fail, skipped, errors: 0 };
    return element("testsuite", attributes, [...first, ...cases]);
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!-- ${comment(verdictLine(report))} -->\n` +
    element("testsuites", totals, suites);
}

function propertiesOf(properties: Readonly<Record<string, string>>): string {
  return element(
    "properties",
    {},
    Object.entries(properties).map(([name, value]) => element("property", { name, value }, [])),
  );
}

function caseOf(result: ScenarioResult): string {
  const { scenario, verdict, reason } = result;
  const { area, needed, means } = stakeOf(scenario);
  const attributes = { classname: `qualify.${area}`, name: `${scenario.id} ${scenario.title}`, time: "0" };
  switch (verdict) {
    case "pass":
      return element("testcase", attributes, []);
    case "deviates":
      return element("testcase", attributes, [element("system-out", {}, [text(describeResult(result))])]);
    case "skipped":
      return element("testcase", attributes, [element("skipped", { message: reason ?? "" }, [])]);
    case "fail": {
      const failure = { message: means, type: needed ? "needed for migration" : "nice to have" };
      return element("testcase", attributes, [element("failure", failure, [text(describeResult(result))])]);
    }
  }
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[],
): string {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${text(String(value))}"`).join("");
  return children.length === 0 ? `<${name}${words}/>\n` : `<${name}${words}>${children.join("")}</${name}>\n`;
}

// What XML 1.0 has no way to write, escaped or not: controls but for tab and line ends, lone surrogates, FFFE and FFFF.
const UNWRITABLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text as XML has it. */
function text(value: string): string {
  return value.replaceAll(UNWRITABLE, "\ufffd").replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A comment holds no two dashes in a row. */
function comment(value: string): string {
  return value.replaceAll(UNWRITABLE, "\ufffd").replaceAll("-", "\u2010");
}
