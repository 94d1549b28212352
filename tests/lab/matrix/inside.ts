/**
 * Runs the matrix of one type in the lab, a line of JSON a run into /lab-out/matrix.ndjson:
 *
 *   inside.ts TYPE UNTIL_SECONDS WORD [KEPT]   no new run is begun after that time; only runs whose name has the word, and
 *                                              which did not go well in the file KEPT
 *
 * @module
 */
import { Travels } from "../migrating.ts";
import { freshLab, type Sshd, startSshd } from "../support.ts";
import { cellsOf, nameOf } from "./failures.ts";
import type { Line } from "./report.ts";
import { clearAway, runCell } from "./run_cell.ts";

const [type = 5, until = Infinity] = Deno.args.map(Number);
const word = Deno.args[2] ?? "";
const kept = Deno.args[3] === undefined ? [] : Deno.readTextFileSync(Deno.args[3]).trim().split("\n");
const right = new Set(
  kept.map((line) => JSON.parse(line) as Line).filter(({ ran }) => ran).map(({ cell }) => nameOf(cell)),
);
const OUT = "/lab-out/matrix.ndjson";

/** "Linux 6.1.176 (user-mode), QEMU 7.2.22, Deno 2.9.6" */
function versions(): string {
  const userMode = /User Mode Linux/.test(Deno.readTextFileSync("/proc/cpuinfo"));
  const said = new Deno.Command("qemu-system-x86_64", { args: ["--version"] }).outputSync().stdout;
  const qemu = /version (\S+)/.exec(new TextDecoder().decode(said))?.[1] ?? "unknown";
  const kernel = `${Deno.osRelease()} (${userMode ? "user-mode" : "in QEMU"})`;
  return `Linux ${kernel}, QEMU ${qemu}, Deno ${Deno.version.deno}`;
}

const on = versions();

function tell(line: Line): void {
  Deno.writeTextFileSync(OUT, `${JSON.stringify({ ...line, on })}\n`, { append: true });
  const how = line.ran ? `ok, ${line.ran.seconds} s` : line.failure;
  console.log(`${nameOf(line.cell)}: ${how}`);
}

const travels = new Travels([type], async () => {
  await clearAway();
  await freshLab();
});
let server: Sshd | null = null;
let failed = 0;
for (const cell of cellsOf(type).filter((one) => nameOf(one).includes(word) && !right.has(nameOf(one)))) {
  if (performance.now() > until * 1000) {
    tell({ cell, failure: "not run: no time left" });
    continue;
  }
  try {
    tell({
      cell,
      ran: await travels.go((journey) => runCell(journey, cell, async () => server ??= await startSshd())),
    });
  } catch (error) {
    failed++;
    tell({ cell, failure: error instanceof Error ? error.message : String(error) });
  }
}
await travels[Symbol.asyncDispose]();
await (server as Sshd | null)?.stop();
Deno.exit(failed > 0 ? 1 : 0);
