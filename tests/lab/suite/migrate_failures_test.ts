/**
 * `prmig migrate` when things fail: some runs of the matrix, and Ctrl-C, each ending with the guest counting on one side,
 * which is the one that holds. All of the matrix is `deno task test:matrix` (docs/migrate-matrix.md); on simulated QEMUs, tests/unit/migrate/vm/.
 */
import { type Cell, nameOf } from "../matrix/failures.ts";
import { runCell } from "../matrix/run_cell.ts";
import { Journey, whileMemoryHolds } from "../migrating.ts";
import { labTest, type Sshd, startSshd } from "../support.ts";

const CELLS: readonly Omit<Cell, "type">[] = [
  { gate: "paused", harm: "destination killed", moment: "before" },
  { gate: "completed", harm: "migrate_cancel", moment: "gate" },
  { gate: "paused", harm: "another LUN", moment: null },
  { gate: "paused", harm: "destination killed", moment: "late" },
  { gate: "paused", harm: "ssh cut", moment: "gate" },
  { gate: "paused", harm: "prmig killed", moment: "late" },
  { gate: "switchover", harm: "Ctrl-C", moment: "before" },
  { gate: "switchover", harm: "Ctrl-C", moment: "gate" },
  { gate: "switchover", harm: "Ctrl-C", moment: "late" },
];

for (const one of CELLS) {
  const cell = { ...one, type: 5 };
  labTest(`${nameOf(cell)}: the guest counts on the side that holds`, async () => {
    let server: Sshd | null = null;
    try {
      await whileMemoryHolds(async () => {
        await using journey = await Journey.begin([cell.type]);
        const { exit, side, seconds } = await runCell(journey, cell, async () => server ??= await startSshd());
        console.error(`${nameOf(cell)}: exit ${exit}, the guest counts on the ${side}; ${seconds} s`);
      });
    } finally {
      await (server as Sshd | null)?.stop();
    }
  });
}
