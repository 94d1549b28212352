/**
 * Every benchmark that needs a kernel is run once, small, on the machine where it is measured: it works, and what it says can be
 * shown. No time is judged.
 */
import assert from "node:assert/strict";
import { FIGURES } from "../../../bench/figures.ts";
import { tableText } from "../../../bench/table.ts";
import { labTest } from "../support.ts";

const traced = Deno.env.get("PRMIG_LAB_MACHINE") === "qemu";
const own = FIGURES.filter(({ where, needs }) => traced ? where === "traced" : where === "lab" || needs);
for (const { name, measure } of own) {
  labTest(`the benchmark ${name} works`, async () => {
    const { rows } = await measure({ small: true });
    assert.ok(rows.length > 0, "it found something");
    const table = tableText(rows);
    for (const { figure } of rows) assert.ok(table.includes(figure), figure);
  });
}
