/**
 * One offer that reaches two destinations: both register, one takes, and only that one says so.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { runDestination } from "../../../lib/migrate/destination.ts";
import type { JournalEntry } from "../../../lib/migrate/journal_entry.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import type { Lun } from "../../../lib/migrate/lun.ts";
import { recover, resumeRun } from "../../../lib/migrate/recover.ts";
import { pathsIn, type Run } from "../../../lib/migrate/run.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import { patient } from "../../../lib/pr/patient.ts";
import { C_KEY, K, ports, runs, type Scene, scene } from "../../support/hand_over_scene.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** The other receiver, on nexus E. */
function another(s: Scene, destination: Run, entries: JournalEntry[]): { run: Run; lun: Lun } {
  const { clock } = s;
  const nexus = patient(s.lun.nexus("E"), { sleep: (ms) => clock.sleep(ms), now: () => clock.now() });
  const lun = { ...s.b, device: "sim:E", paths: [{ nexus, relativeTargetPort: 1 }] };
  const { offer } = destination.legs[0]!;
  return { lun, run: { ...destination, ports: ports(s, entries), legs: [{ lun, own: pathsIn(offer, lun), offer }] } };
}

/** Neither sends its PREEMPT before both are about to. */
function meetBeforeTaking({ clock }: Scene, ...runs: Run[]): void {
  let arrived = 0;
  for (const { ports: { journal } } of runs) {
    const { write } = journal;
    journal.write = async (entry) => {
      await write(entry);
      if (entry.phase !== "taking") return;
      for (arrived++; arrived < runs.length;) await clock.sleep(1);
    };
  }
}

function registered(s: Scene): string[] {
  return s.lun.model.registrations.map(({ nexus, key }) => `${nexus}=${key.toString(16)}`).sort();
}

for (const type of [0, 1, 5, 8] as const) {
  for (const [shared, race] of [[false, true], [true, true], [false, false], [true, false]] as const) {
    const words = `type ${type}${shared ? ", shared key" : ""}, ${race ? "both try to take" : "one is late"}`;
    Deno.test(`two receivers of one offer, ${words}: one says that it moved`, async () => {
      const s = await scene({ type, shared, clock: new VirtualClock() });
      const { source, destination } = await runs(s, ports(s), ports(s));
      const journal: JournalEntry[] = [];
      const { run, lun } = another(s, destination, journal);
      if (race) meetBeforeTaking(s, destination, run);
      const [sent, first, second] = await Promise.allSettled([
        runSource(source, new Lease(5000, 0)),
        runDestination(destination),
        runDestination(run),
      ]);
      assert.equal(sent.status, "fulfilled");
      const ends = [["b", first], ["e", second]] as const;
      const winners = ends.flatMap(([who, { status }]) => status === "fulfilled" ? [who] : []);
      assert.equal(winners.length, 1, `moved, they say: ${winners}`);
      const loser = ends.find(([, { status }]) => status === "rejected")![1] as PromiseRejectedResult;
      assert(loser.reason instanceof PrmigError);
      assert.equal(loser.reason.kind, "refused");
      assert.match(loser.reason.message, /another receiver of this offer has taken/);
      assert.doesNotMatch(loser.reason.facts.lun, /as before|fenced/);
      assert.deepEqual(
        registered(s),
        [`${winners[0]}=${K.toString(16)}`, `c=${(shared ? K : C_KEY).toString(16)}`].sort(),
      );
      if (type !== 0) assert.equal(s.lun.model.reservation!.holder, type === 8 ? "*" : winners[0]);
      // One that was killed while it took reads the LUN: with one holder, that tells.
      const taking = journal.find(({ phase }) => phase === "taking");
      if (taking === undefined || winners[0] !== "b" || type === 0 || type === 8) return;
      const ending = await recover(resumeRun(taking, [lun], ports(s), 5000), { timeoutMs: 5000, endedMsAgo: 60_000 });
      assert.notEqual(ending.outcome, "moved");
    });
  }
}
