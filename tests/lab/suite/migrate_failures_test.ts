/**
 * `prmig migrate` when things fail: some runs of the matrix, and Ctrl-C, each ending with the guest counting on one side,
 * which is the one that holds. All of the matrix is `deno task test:matrix` (docs/migrate-matrix.md); on simulated QEMUs, tests/unit/migrate/vm/.
 */
import { type Cell, nameOf } from "../matrix/failures.ts";
import { runCell } from "../matrix/run_cell.ts";
import { Travels } from "../migrating.ts";
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

labTest("a migration that fails leaves the guest counting on the side that holds", async (t) => {
  const type = 5;
  let server: Sshd | null = null;
  await using travels = new Travels([type]);
  try {
    for (const one of CELLS) {
      const cell = { ...one, type };
      await t.step(nameOf(cell), async () => {
        const { exit, side, seconds } = await travels.go((journey) =>
          runCell(journey, cell, async () => server ??= await startSshd())
        );
        console.error(`${nameOf(cell)}: exit ${exit}, the guest counts on the ${side}; ${seconds} s`);
      });
    }
  } finally {
    await (server as Sshd | null)?.stop();
  }
});
