import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { runDestination } from "../../../lib/migrate/destination.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import { readRegistrations } from "../../../lib/pr/read_state.ts";
import { PR_TYPES, type PrType } from "../../../lib/pr/types.ts";
import { C_KEY, K, ports, runs, scene } from "../../support/hand_over_scene.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const TYPES: (PrType | 0)[] = [0, ...PR_TYPES.map((info) => info.type)];

for (const type of TYPES) {
  for (const shared of [false, true]) {
    Deno.test(`a hand-over moves type ${type}${shared ? " under a shared key" : ""} and nothing else`, async () => {
      const s = await scene({ type, shared, clock: new VirtualClock() });
      const { source, destination } = await runs(s, ports(s), ports(s));
      const [sent, taken] = await Promise.all([
        runSource(source, new Lease(5000, 0)),
        runDestination(destination),
      ]);
      assert.equal(sent.outcome, "moved");
      assert.equal(taken.outcome, "moved");
      const state = await readRegistrations(s.lun.nexus("B"));
      assert.equal(state.reservation?.type ?? 0, type);
      const keys = state.registrations.map((r) => [r.transportId?.address.at(-1), r.key]).sort();
      assert.deepEqual(keys, [["b", K], ["c", shared ? K : C_KEY]]);
    });
  }
}

Deno.test("a source without a destination gives up in time and leaves the LUN as it was", async () => {
  const s = await scene({ type: 5, clock: new VirtualClock() });
  const { source } = await runs(s, ports(s), ports(s));
  const before = s.lun.model;
  await assert.rejects(runSource(source, new Lease(5000, 0)), (error: unknown) => {
    assert(error instanceof PrmigError);
    assert.equal(error.kind, "failed");
    assert.match(error.facts.lun, /^as before/);
    return true;
  });
  assert.deepEqual(s.lun.model.registrations, before.registrations);
});

Deno.test("a guest that is fenced while prepared is not brought back, on either side", async () => {
  const s = await scene({ type: 5, clock: new VirtualClock() });
  const { source, destination } = await runs(s, ports(s), ports(s));
  const fence = async (): Promise<void> => {
    while (s.lun.history.at(-1)?.after.registrations && !s.told.some((t) => t.phase === "prepared")) {
      await s.clock.sleep(5);
    }
    await prOut(s.lun.nexus("C"), { action: "preempt", rk: C_KEY, sark: K, type: 5 });
  };
  const endings = await Promise.allSettled([
    runSource(source, new Lease(5000, 0)),
    runDestination(destination),
    fence(),
  ]);
  const state = await readRegistrations(s.lun.nexus("C"));
  if (endings[0].status === "rejected") {
    assert.equal((endings[0].reason as PrmigError).kind, "refused");
    assert.equal((endings[1] as PromiseRejectedResult).reason.kind, "refused");
  }
  assert.deepEqual(state.registrations.map((r) => r.key), [C_KEY]);
});

for (const type of [1, 3, 5, 6] as const) {
  Deno.test(`the plain method moves type ${type} by preempting the key itself`, async () => {
    const s = await scene({ type, clock: new VirtualClock() });
    const { source, destination } = await runs(s, ports(s), ports(s), 5000, "plain");
    const began = s.lun.history.length;
    const [sent, taken] = await Promise.all([runSource(source, new Lease(5000, 0)), runDestination(destination)]);
    assert.deepEqual([sent.outcome, taken.outcome], ["moved", "moved"]);
    const state = await readRegistrations(s.lun.nexus("B"));
    assert.deepEqual(state.registrations.map((r) => [r.key, r.holder]), [[C_KEY, false], [K, true]]);
    const sentByA = s.lun.history.slice(began).filter((h) => h.nexus === "a" && h.cdb[0] === 0x5f);
    assert.equal(sentByA.length, 0);
  });
}

Deno.test("a plain destination that never takes is evicted, and the source holds as before", async () => {
  const s = await scene({ type: 5, clock: new VirtualClock() });
  const { source } = await runs(s, ports(s), ports(s), 5000, "plain");
  await prOut(s.lun.nexus("B"), { action: "register", rk: 0n, sark: K, aptpl: false });
  await assert.rejects(
    runSource(source, new Lease(5000, 0)),
    (e: unknown) => e instanceof PrmigError && e.kind === "failed",
  );
  const state = await readRegistrations(s.lun.nexus("C"));
  assert.deepEqual(state.registrations.map((r) => [r.key, r.holder]), [[K, true], [C_KEY, false]]);
});
