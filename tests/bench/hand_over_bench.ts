/**
 * The moment of the switch: from the gate to verified, for one LUN and for many, on simulated LUNs that take a
 * millisecond for every command. The peer is that millisecond: `n sequential commands` is what n commands cost here, timer
 * included. Promised: commit and take of 1 LUN within 4 commands' time, of 64 LUNs within 3 times that of one.
 *
 * @module
 */
import { runDestination } from "../../lib/migrate/destination.ts";
import { Lease } from "../../lib/migrate/lease.ts";
import type { Lun } from "../../lib/migrate/lun.ts";
import { makeOffer } from "../../lib/migrate/make_offer.ts";
import type { Clock, Link, Ports } from "../../lib/migrate/ports.ts";
import type { Leg, Run } from "../../lib/migrate/run.ts";
import { runSource } from "../../lib/migrate/source.ts";
import { findLegs } from "../../lib/migrate/start.ts";
import { prOut } from "../../lib/pr/commands.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { patient } from "../../lib/pr/patient.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";
import { linked } from "../support/linked.ts";

const COMMAND_MS = 1;
const K = 0x123abcn;

const clock: Clock = {
  now: () => performance.now(),
  sleep: (ms, wake) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake?.finally(() => (clearTimeout(timer), resolve()));
    }),
};

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, COMMAND_MS));
}

function slow(nexus: Nexus): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: async (cdb, data) => (await pause(), await nexus.execute(cdb, data)),
    close: () => nexus.close(),
  };
}

function ports(link: Link): Ports {
  let random = 1;
  return {
    link,
    clock,
    journal: { write: () => Promise.resolve() },
    random: () => random++,
    report: () => {},
    interrupted: () => false,
  };
}

/** Prepares a hand-over of `count` LUNs, then runs `atGate` around the switch. */
async function handOver(count: number, started: () => void): Promise<void> {
  const link = linked(clock);
  const [a, b] = [ports(link.source), ports(link.destination)];
  const legs: Leg[] = [];
  const there: Lun[] = [];
  for (let i = 0; i < count; i++) {
    const lun = new MemoryLun({ record: false });
    await prOut(lun.nexus("A"), { action: "register", rk: 0n, sark: K, aptpl: false });
    await prOut(lun.nexus("A"), { action: "reserve", rk: K, type: 5 });
    const side = (name: string): Lun => ({
      device: `${name}${i}`,
      designator: `naa.${i}`,
      paths: [{ nexus: patient(slow(lun.nexus(name))), relativeTargetPort: 1 }],
    });
    legs.push(await makeOffer(side("A"), { random: a.random }));
    there.push(side("B"));
  }
  const common = { handOver: "bench", windowMs: 60_000, timeoutMs: 60_000, committed: false, method: "token" as const };
  const source: Run = { ...common, role: "source", legs, ports: a };
  const found = there.values();
  const legsThere = await findLegs(legs.map((leg) => leg.offer), () => Promise.resolve(found.next().value!));
  const destination: Run = { ...common, role: "destination", legs: legsThere, ports: b };
  const gate = (): Promise<void> => Promise.resolve(started());
  await Promise.all([runSource(source, new Lease(60_000, clock.now()), gate), runDestination(destination)]);
}

for (const commands of [1, 4]) {
  Deno.bench(`${commands} sequential command${commands > 1 ? "s" : ""} of 1 ms`, {
    group: "switch",
    baseline: commands === 4,
  }, async (b) => {
    b.start();
    for (let i = 0; i < commands; i++) await pause();
    b.end();
  });
}
for (const count of [1, 16, 64, 256]) {
  Deno.bench(
    `gate to verified, ${count} LUN${count > 1 ? "s" : ""}`,
    { group: "switch", n: 20, warmup: 3 },
    async (b) => {
      await handOver(count, () => b.start());
      b.end();
    },
  );
}
