/**
 * 64 LUNs in one hand-over: all move, or all stay.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { runDestination } from "../../../lib/migrate/destination.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import type { Lun } from "../../../lib/migrate/lun.ts";
import { makeOffer } from "../../../lib/migrate/make_offer.ts";
import type { Leg, Run } from "../../../lib/migrate/run.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import { findLegs } from "../../../lib/migrate/start.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { patient } from "../../../lib/pr/patient.ts";
import { readRegistrations } from "../../../lib/pr/read_state.ts";
import { PR_TYPES } from "../../../lib/pr/types.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";
import { type FaultAt, faulty } from "../../support/faults.ts";
import { ports, type Scene } from "../../support/hand_over_scene.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const COUNT = 64;
const K = 0x5eed00n;
const WINDOW_MS = 5000;

interface Many {
  readonly luns: MemoryLun[];
  readonly source: Run;
  readonly destination: Run;
}

/** LUN i is held under K + i with the i-th of the six types; every seventh is only registered, every fifth shared. */
async function many(trouble: { lun: number; side: "A" | "B"; plan: FaultAt[] } | null): Promise<Many> {
  const clock = new VirtualClock();
  const stage = { clock, told: [] } as unknown as Scene;
  const luns: MemoryLun[] = [];
  const legs: Leg[] = [];
  const there: Lun[] = [];
  let next = 1;
  const side = (i: number, name: "A" | "B"): Lun => {
    const wrapped = (nexus: Nexus): Nexus =>
      trouble?.lun === i && trouble.side === name ? faulty(nexus, trouble.plan) : nexus;
    const nexus = patient(wrapped(luns[i]!.nexus(name)), { sleep: (ms) => clock.sleep(ms), now: () => clock.now() });
    return { device: `${name}${i}`, designator: `naa.${i}`, paths: [{ nexus, relativeTargetPort: 1 }] };
  };
  for (let i = 0; i < COUNT; i++) {
    const lun = new MemoryLun({ record: false });
    luns.push(lun);
    const key = K + BigInt(i);
    await prOut(lun.nexus("A"), { action: "register", rk: 0n, sark: key, aptpl: false });
    await prOut(lun.nexus("C"), { action: "register", rk: 0n, sark: i % 5 === 0 ? key : 0xccccn, aptpl: false });
    if (i % 7 !== 0) await prOut(lun.nexus("A"), { action: "reserve", rk: key, type: PR_TYPES[i % 6]!.type });
    legs.push(await makeOffer(side(i, "A"), { random: () => next++ }));
    there.push(side(i, "B"));
  }
  const common = {
    handOver: "00000000-0000-4000-8000-000000000000",
    method: "token" as const,
    windowMs: WINDOW_MS,
    timeoutMs: WINDOW_MS,
    committed: false,
  };
  const found = there.values();
  const legsThere = await findLegs(legs.map((leg) => leg.offer), () => Promise.resolve(found.next().value!));
  return {
    luns,
    source: { ...common, role: "source", legs, ports: ports(stage) },
    destination: { ...common, role: "destination", legs: legsThere, ports: ports(stage) },
  };
}

async function run({ source, destination }: Many): Promise<PromiseSettledResult<{ outcome: string }>[]> {
  return await Promise.allSettled([runSource(source, new Lease(WINDOW_MS, 0)), runDestination(destination)]);
}

async function allAt(luns: readonly MemoryLun[], name: "a" | "b"): Promise<void> {
  for (const [i, lun] of luns.entries()) {
    const { registrations, reservation } = await readRegistrations(lun.nexus("D"));
    const [mine, other] = registrations.toSorted((x, y) => x.transportId!.address < y.transportId!.address ? -1 : 1);
    assert.equal(registrations.length, 2, `LUN ${i}`);
    assert.deepEqual([mine!.transportId!.address.at(-1), mine!.key], [name, K + BigInt(i)], `LUN ${i}`);
    assert.deepEqual([other!.transportId!.address.at(-1)], ["c"], `LUN ${i}`);
    const type = i % 7 === 0 ? undefined : PR_TYPES[i % 6]!.type;
    assert.deepEqual([reservation?.type, mine!.holder], [type, type !== undefined], `LUN ${i}`);
  }
}

Deno.test(`${COUNT} LUNs of all types move in one hand-over`, async () => {
  const all = await many(null);
  const ends = await run(all);
  assert.deepEqual(ends.map((e) => e.status === "fulfilled" && e.value.outcome), ["moved", "moved"]);
  await allAt(all.luns, "b");
});

const REFUSED: FaultAt[] = [{ at: 0, fault: "conflict", times: 10_000, opcode: 0x5f }];
/** The destination's second PR OUT is its PREEMPT: by then every other LUN may have been taken. */
const NOT_TAKEN: FaultAt[] = [{ at: 1, fault: "conflict", times: 10_000, opcode: 0x5f }];

for (
  const [what, trouble] of [
    ["cannot be prepared", { lun: 17, side: "B", plan: REFUSED }],
    ["cannot be committed", { lun: 40, side: "A", plan: REFUSED }],
  ] as const
) {
  Deno.test(`${COUNT} LUNs stay where they are when one ${what}`, async () => {
    const all = await many({ ...trouble, plan: [...trouble.plan] });
    const ends = await run(all);
    assert(ends.every((e) => e.status === "rejected" && e.reason instanceof PrmigError), JSON.stringify(ends));
    await allAt(all.luns, "a");
  });
}

Deno.test(`${COUNT} LUNs go back when one cannot be taken and all others have been`, async () => {
  const all = await many({ lun: 33, side: "B", plan: NOT_TAKEN });
  const ends = await run(all);
  assert(ends.every((e) => e.status === "rejected"), JSON.stringify(ends));
  // LUN 33's destination can send nothing any more; the source has evicted it there as everywhere.
  await allAt(all.luns, "a");
});
