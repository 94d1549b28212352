/**
 * Every benchmark that needs neither a kernel nor a program of others is run once, small: it works, and what it says can be shown. No time is judged.
 */
import assert from "node:assert/strict";
import { FIGURES } from "../../../bench/figures.ts";
import { plot } from "../../../bench/plot.ts";
import { tableText } from "../../../bench/table.ts";

for (const { name, measure } of FIGURES.filter(({ where, needs }) => where === "machine" && !needs)) {
  Deno.test(`the benchmark ${name} works`, async () => {
    const { rows, curves = [] } = await measure({ small: true });
    assert.ok(rows.length + curves.length > 0, "it found something");
    const table = tableText(rows);
    for (const { figure } of rows) assert.ok(table.includes(figure), figure);
    for (const curve of curves) assert.match(plot(curve), /^<svg [\s\S]*<polyline[\s\S]*<\/svg>\n$/);
  });
}
