/**
 * Two paths a side: every path is re-keyed and registered, the first decides races, and no path is left behind.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { runDestination } from "../../../lib/migrate/destination.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import type { Lun } from "../../../lib/migrate/lun.ts";
import { makeOffer } from "../../../lib/migrate/make_offer.ts";
import type { Run } from "../../../lib/migrate/run.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import { findLegs } from "../../../lib/migrate/start.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import { patient } from "../../../lib/pr/patient.ts";
import { readRegistrations } from "../../../lib/pr/read_state.ts";
import type { PrType } from "../../../lib/pr/types.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { C_KEY, DESIGNATOR, K, ports, type Scene } from "../../support/hand_over_scene.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const WINDOW_MS = 5000;

async function twoPaths(type: PrType | 0, key2 = K): Promise<{ lun: MemoryLun; a: Lun; b: Lun; clock: VirtualClock }> {
  const clock = new VirtualClock();
  const lun = new MemoryLun();
  const register = (name: string, port: number, key: bigint): Promise<unknown> =>
    prOut(lun.nexus(name, port), { action: "register", rk: 0n, sark: key, aptpl: false });
  await register("A", 1, K);
  await register("A", 2, key2);
  await register("C", 1, C_KEY);
  // The second path holds: the one that decides is the one that holds, whichever is named first.
  if (type !== 0) await prOut(lun.nexus("A", 2), { action: "reserve", rk: key2, type });
  const side = (name: string): Lun => ({
    device: `sim:${name}`,
    designator: DESIGNATOR,
    paths: [1, 2].map((port) => ({
      nexus: patient(lun.nexus(name, port), { sleep: (ms) => clock.sleep(ms), now: () => clock.now() }),
      relativeTargetPort: port,
    })),
  });
  return { lun, a: side("A"), b: side("B"), clock };
}

async function bothRuns(clock: VirtualClock, a: Lun, b: Lun): Promise<[Run, Run]> {
  const stage = { clock, told: [] } as unknown as Scene;
  const leg = await makeOffer(a, { random: () => 1 });
  const common = {
    handOver: "00000000-0000-4000-8000-000000000000",
    method: "token" as const,
    windowMs: WINDOW_MS,
    timeoutMs: WINDOW_MS,
    committed: false,
  };
  const legs = await findLegs([leg.offer], () => Promise.resolve(b));
  return [
    { ...common, role: "source", legs: [leg], ports: ports(stage) },
    { ...common, role: "destination", legs, ports: ports(stage) },
  ];
}

async function shown(lun: MemoryLun): Promise<string[]> {
  const { registrations } = await readRegistrations(lun.nexus("D"));
  return registrations.map((r) =>
    `${r.transportId!.address.at(-1)}${r.relativeTargetPort} ${r.key.toString(16)}${r.holder ? " holds" : ""}`
  ).sort();
}

for (const type of [0, 5, 6, 7, 8] as const) {
  Deno.test(`two paths move together, type ${type}`, async () => {
    const { lun, a, b, clock } = await twoPaths(type);
    const [source, destination] = await bothRuns(clock, a, b);
    const ends = await Promise.all([runSource(source, new Lease(WINDOW_MS, 0)), runDestination(destination)]);
    assert.deepEqual(ends.map((end) => end.outcome), ["moved", "moved"]);
    const everybody = type === 7 || type === 8;
    const holds = (one: boolean): string => everybody || (one && type !== 0) ? " holds" : "";
    assert.deepEqual(await shown(lun), [
      `b1 123abc${holds(true)}`,
      `b2 123abc${holds(false)}`,
      `c1 cccc${holds(false)}`,
    ]);
  });

  Deno.test(`two paths go back together when nobody takes, type ${type}`, async () => {
    const { lun, a, b, clock } = await twoPaths(type);
    const before = await shown(lun);
    const [source] = await bothRuns(clock, a, b);
    for (const port of [1, 2]) {
      await prOut(lun.nexus("B", port), { action: "register", rk: 0n, sark: K, aptpl: false });
    }
    await assert.rejects(runSource(source, new Lease(WINDOW_MS, 0)), (e: unknown) => {
      assert(e instanceof PrmigError, String(e));
      assert.equal(e.kind, "failed", e.facts.lun);
      return true;
    });
    assert.deepEqual(await shown(lun), before);
  });
}

Deno.test("paths under different keys are refused, and nothing is sent", async () => {
  const { lun, a } = await twoPaths(5, 0x2222n);
  const before = lun.model;
  await assert.rejects(makeOffer(a, { random: () => 1 }), /different keys/);
  assert.deepEqual(lun.model.registrations, before.registrations);
});
