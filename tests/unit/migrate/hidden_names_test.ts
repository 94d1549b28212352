/**
 * Hand-overs on a target without READ FULL STATUS (tgt): keys alone do not tell source from destination.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { runDestination } from "../../../lib/migrate/destination.ts";
import type { JournalEntry } from "../../../lib/migrate/journal_entry.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import { recover, resumeRun } from "../../../lib/migrate/recover.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import { isToken } from "../../../lib/migrate/tokens.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { decodePrOut } from "../../../lib/pr/pr_out.ts";
import { PROFILES } from "../../../lib/pr/sim/profile.ts";
import type { PrType } from "../../../lib/pr/types.ts";
import { C_KEY, K, ports, runs, type Scene, scene, type SceneOptions } from "../../support/hand_over_scene.ts";
import { linked } from "../../support/linked.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const TYPES: readonly (PrType | 0)[] = [0, 1, 5, 8];

function tgt(type: PrType | 0, more: Partial<SceneOptions> = {}): Promise<Scene> {
  return scene({ type, clock: new VirtualClock(), profile: PROFILES.tgt!, ...more });
}

/** `b=123abc c=cccc, 5@b`: as the target itself has it. */
function shown({ lun: { model } }: Scene): string {
  const { registrations, reservation } = model;
  const who = registrations.map(({ nexus, key }) => `${nexus}=${key.toString(16)}`).sort().join(" ");
  return `${who}, ${reservation === null ? "free" : `${reservation.type}@${reservation.holder}`}`;
}

function held(type: PrType | 0, by: string): string {
  return type === 0 ? "free" : `${type}@${type >= 7 ? "*" : by}`;
}

/** A nexus that sends its PERSISTENT RESERVE INs only once it may. */
function holdingBack(nexus: Nexus, whileHeld: () => Promise<void>): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    close: () => nexus.close(),
    execute: async (cdb, data, options) => {
      if (cdb[0] === 0x5e) await whileHeld();
      return await nexus.execute(cdb, data, options);
    },
  };
}

/** Loses REGISTER K -> K as often as `lost` says: it is never carried out, and nobody answers. */
function losing(nexus: Nexus, lost: { left: number }): Nexus {
  const nothing = new Uint8Array();
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    close: () => nexus.close(),
    execute: async (cdb, data, options) => {
      if (cdb[0] === 0x5f && typeof data !== "number" && lost.left > 0) {
        const { rk, sark } = decodePrOut(cdb[1]! & 0x1f, data);
        if (rk === K && sark === K) {
          lost.left--;
          return { status: 0, sense: nothing, dataIn: nothing, hostStatus: 0x03, driverStatus: 0x06 };
        }
      }
      return await nexus.execute(cdb, data, options);
    },
  };
}

for (const [times, outcome] of [[2, "moved"], [Infinity, "unsure"]] as const) {
  Deno.test(`a proof that is not answered ${times} times: ${outcome}, and recover finds that it moved`, async () => {
    const clock = new VirtualClock();
    const [lost, settled] = [{ left: 0 }, { yes: false }];
    const s: Scene = await tgt(5, {
      clock,
      wrap: (nexus, side) =>
        side === "B" ? nexus : holdingBack(losing(nexus, lost), async () => {
          while (!settled.yes && s.lun.model.registrations.every((r) => r.nexus !== "a" || isToken(r.key))) {
            await clock.sleep(10);
          }
        }),
    });
    const entries: JournalEntry[] = [];
    const { source, destination } = await runs(s, ports(s, entries), ports(s));
    lost.left = times;
    const [sent] = await Promise.allSettled([
      runSource(source, new Lease(5000, 0)),
      runDestination(destination).finally(() => settled.yes = true),
    ]);
    assert.equal(sent.status === "fulfilled" ? sent.value.outcome : (sent.reason as PrmigError).kind, outcome);
    assert.equal(entries.at(-1)!.outcome, outcome === "moved" ? "moved" : undefined);
    lost.left = 0;
    const open = entries.findLast(({ phase }) => phase !== "closed")!;
    const ending = await recover(resumeRun(open, [s.a], ports(s), 5000), { timeoutMs: 5000, endedMsAgo: 60_000 });
    assert.equal(ending.outcome, "moved");
    assert.equal(shown(s), `b=${K.toString(16)} c=${C_KEY.toString(16)}, 5@b`);
  });
}

for (const type of TYPES) {
  for (const shared of [false, true]) {
    const words = `type ${type}${shared ? ", shared key" : ""}, names hidden`;
    const other = (shared ? K : C_KEY).toString(16);

    Deno.test(`one-way, ${words}: a source that looks only when the destination has settled`, async () => {
      const clock = new VirtualClock();
      let settled = false;
      const s: Scene = await tgt(type, {
        shared,
        clock,
        wrap: (nexus, side) =>
          side === "B" ? nexus : holdingBack(nexus, async () => {
            while (!settled && s.lun.model.registrations.every((r) => r.nexus !== "a" || isToken(r.key))) {
              await clock.sleep(10);
            }
          }),
      });
      const { source, destination } = await runs(s, ports(s), ports(s));
      const [sent, taken] = await Promise.all([
        runSource(source, new Lease(5000, 0)),
        runDestination(destination).finally(() => settled = true),
      ]);
      assert.deepEqual([sent.outcome, taken.outcome], ["moved", "moved"]);
      assert.equal(shown(s), `b=${K.toString(16)} c=${other}, ${held(type, "b")}`);
      for (const { source, destination } of [...sent.pictures, ...taken.pictures]) {
        assert.deepEqual([source.under, destination.under], ["gone", "key"]);
      }
    });

    Deno.test(`two-way, ${words}: moves`, async () => {
      const s = await tgt(type, { shared });
      const ends = linked(s.clock);
      const { source, destination } = await runs(s, ports(s, [], ends.source), ports(s, [], ends.destination));
      const [sent, taken] = await Promise.all([runSource(source, new Lease(5000, 0)), runDestination(destination)]);
      assert.deepEqual([sent.outcome, taken.outcome], ["moved", "moved"]);
      assert.equal(shown(s), `b=${K.toString(16)} c=${other}, ${held(type, "b")}`);
    });

    Deno.test(`recover, ${words}: both sides find that it moved, and a roll back is refused`, async () => {
      const s = await tgt(type, { shared });
      const ends = linked(s.clock);
      const [a, b]: [JournalEntry[], JournalEntry[]] = [[], []];
      const { source, destination } = await runs(s, ports(s, a, ends.source), ports(s, b, ends.destination));
      await Promise.all([runSource(source, new Lease(5000, 0)), runDestination(destination)]);
      const options = { timeoutMs: 5000, endedMsAgo: 60_000 };
      const before = shown(s);
      const resumed = (entries: JournalEntry[], phase: JournalEntry["phase"]) => {
        const entry = entries.find((each) => each.phase === phase)!;
        return resumeRun(entry, [entry.role === "source" ? s.a : s.b], ports(s), 5000);
      };
      for (const run of [resumed(a, "committing"), resumed(b, "settling"), resumed(b, "taking")]) {
        assert.equal((await recover(run, options)).outcome, "moved", run.role);
      }
      await assert.rejects(
        recover(resumed(a, "committing"), { ...options, evenIfTaken: true, evictShared: true }),
        (error: unknown) => error instanceof PrmigError && error.kind === "refused" && /settled/.test(error.message),
      );
      assert.equal(shown(s), before);
    });

    Deno.test(`one-way, ${words}: a destination that dies before it takes is evicted, and the source holds`, async () => {
      const s = await tgt(type, { shared });
      const { source, destination } = await runs(s, ports(s), ports(s));
      const write = ({ phase }: JournalEntry): Promise<void> =>
        phase === "taking" ? new Promise(() => undefined) : Promise.resolve();
      void runDestination({ ...destination, ports: { ...destination.ports, journal: { write } } });
      await assert.rejects(
        runSource(source, new Lease(5000, 0)),
        (e: unknown) => e instanceof PrmigError && e.kind === "failed" && e.facts.lun.startsWith("as before"),
      );
      assert.equal(shown(s), `a=${K.toString(16)} c=${other}, ${held(type, "a")}`);
    });
  }
}
