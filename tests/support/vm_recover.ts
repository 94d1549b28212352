/**
 * `prmig recover` for a guest in a scene, with the journal in memory.
 *
 * @module
 */
import { goBack } from "../../lib/migrate/go_back.ts";
import { isTaken } from "../../lib/migrate/picture.ts";
import { TurnBack } from "../../lib/migrate/reasons.ts";
import { resumeRun } from "../../lib/migrate/recover.ts";
import { lookAtAll } from "../../lib/migrate/run.ts";
import { goForward } from "../../lib/migrate/vm/forward.ts";
import type { VmGate } from "../../lib/migrate/vm/gates.ts";
import type { GuestEntry } from "../../lib/migrate/vm/guest_journal.ts";
import { type GuestRecovered, type RecoverableLuns, recoverGuest } from "../../lib/migrate/vm/recover_guest.ts";
import { ports } from "./hand_over_scene.ts";
import { find, type VmScene } from "./vm_scene.ts";

const TIMEOUT_MS = 5000;

/** What `prmig recover` does. */
export async function recoverAll(s: VmScene, gate: VmGate): Promise<GuestRecovered> {
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
  return await recoverGuest({
    source: await find(s.src, s.clock),
    destination: entry.destination && await find(s.dst, s.clock),
    luns,
    clock: s.clock,
    timeoutMs: TIMEOUT_MS,
    report: () => {},
  }, entry);
}
