/**
 * Every benchmark that needs a kernel is run once, small: it works, and what it says can be shown. No time is judged.
 */
import assert from "node:assert/strict";
import { FIGURES } from "../../../bench/figures.ts";
import { tableText } from "../../../bench/table.ts";
import { labTest } from "../support.ts";

for (const { name, measure } of FIGURES.filter(({ where, needs }) => where !== "machine" || needs)) {
  labTest(`the benchmark ${name} works`, async () => {
    const { rows } = await measure({ small: true });
    assert.ok(rows.length > 0, "it found something");
    const table = tableText(rows);
    for (const { figure } of rows) assert.ok(table.includes(figure), figure);
  });
}
