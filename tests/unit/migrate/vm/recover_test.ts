/**
 * prmig dies at any moment of a migration; `recover` on the source brings guest and reservation to one side.
 */
import assert from "node:assert/strict";
import { goBack } from "../../../../lib/migrate/go_back.ts";
import { isTaken } from "../../../../lib/migrate/picture.ts";
import { TurnBack } from "../../../../lib/migrate/reasons.ts";
import { resumeRun } from "../../../../lib/migrate/recover.ts";
import { lookAtAll } from "../../../../lib/migrate/run.ts";
import { goForward } from "../../../../lib/migrate/vm/forward.ts";
import type { VmGate } from "../../../../lib/migrate/vm/gates.ts";
import type { GuestEntry } from "../../../../lib/migrate/vm/guest_journal.ts";
import { type RecoverableLuns, recoverGuest } from "../../../../lib/migrate/vm/recover_guest.ts";
import { ports } from "../../../support/hand_over_scene.ts";
import { find, look, type VmScene, vmScene } from "../../../support/vm_scene.ts";

const MOMENTS: readonly number[] = [0, 100, 300, ...Array.from({ length: 30 }, (_, i) => 396 + 3 * i)];
const TIMEOUT_MS = 5000;

/** What `prmig recover` does, with the journal in memory. */
async function recoverAll(s: VmScene, gate: VmGate): Promise<string> {
  const way = { kind: "socket", address: "sim" } as const;
  const entry: GuestEntry = {
    prmig: 1,
    handOver: "00000000-0000-4000-8000-000000000000",
    gate,
    wasRunning: true,
    source: way,
    destination: gate === "completed" ? null : way,
  };
  const written = s.journals.source.at(-1);
  let luns: RecoverableLuns | null = null;
  if (written) {
    const run = resumeRun(written, [s.lun.a], ports(s.lun, s.journals.source), TIMEOUT_MS);
    const asItIs = async (outcome: "moved" | "restored") => ({ outcome, pictures: await lookAtAll(run) });
    luns = {
      taken: async () => run.committed && (await lookAtAll(run)).every(isTaken),
      back: () => goBack(run, new TurnBack("failed", "recovering"), { evenIfTaken: true }),
      forward: () => written.outcome === "moved" ? asItIs("moved") : goForward({ ...run, committed: true }),
    };
  }
  const { guest } = await recoverGuest({
    source: await find(s.src, s.clock),
    destination: entry.destination && await find(s.dst, s.clock),
    luns,
    clock: s.clock,
    timeoutMs: TIMEOUT_MS,
    report: () => {},
  }, entry);
  return guest;
}

for (const gate of ["paused", "completed", "switchover"] as const) {
  Deno.test(`gate ${gate}: prmig killed at any moment, then recover: the guest counts on the side that holds`, async () => {
    const sides = new Set<string>();
    for (const ms of MOMENTS) {
      using s = await vmScene({ gate, monitored: gate !== "completed", commandMs: 1 });
      const dead = s.dieAfter(ms);
      await Promise.race([s.migrate().catch(() => undefined), dead]);
      await dead;
      const guest = await recoverAll(s, gate);
      const seen = await look(s);
      const story = `killed after ${ms} ms: ${guest} ${JSON.stringify(seen)}`;
      assert.match(seen.counts, /^(src|dst)$/, story);
      assert.match(seen.lun, seen.counts === "src" ? /A=K\*/ : /B=K\*/, story);
      assert.deepEqual(s.writes.filter((write) => !write.ok), [], story);
      sides.add(seen.counts);
    }
    assert.deepEqual([...sides].sort(), ["dst", "src"]);
  });
}
