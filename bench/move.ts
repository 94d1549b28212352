/**
 * A hand-over within one process, for measuring: both sides prepared, then the time from the gate until the destination has
 * seen on every LUN that it holds. (The source looks once more after that, while the guest runs already.)
 *
 * @module
 */
import { runDestination } from "../lib/migrate/destination.ts";
import { Lease } from "../lib/migrate/lease.ts";
import type { Lun } from "../lib/migrate/lun.ts";
import { makeOffer } from "../lib/migrate/make_offer.ts";
import type { Clock, Link, Ports } from "../lib/migrate/ports.ts";
import type { Ending, Leg, Run } from "../lib/migrate/run.ts";
import { runSource } from "../lib/migrate/source.ts";
import { findLegs } from "../lib/migrate/start.ts";
import { linked } from "../tests/support/linked.ts";

const clock: Clock = {
  now: () => performance.now(),
  sleep: (ms, wake) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake?.finally(() => (clearTimeout(timer), resolve()));
    }),
};

/** The journal costs a file's write each; here it is free, so that only LUN and protocol are measured. */
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

/** A switch, in milliseconds from the gate. */
export interface Switch {
  /** Until the last PREEMPT was answered: a last look at the source, commit, take. */
  readonly taken: number;
  /** Until the destination has read it back on every LUN. */
  readonly verified: number;
}

/** A hand-over of the LUNs in `here`, which are those of `there`. */
export async function moved(here: readonly Lun[], there: readonly Lun[]): Promise<Switch> {
  const link = linked(clock);
  let taken = NaN;
  const told: Link = {
    duplex: link.destination.duplex,
    next: (...words) => link.destination.next(...words),
    send: (message) => {
      if (message.record === "taken") taken = performance.now();
      return link.destination.send(message);
    },
  };
  const [a, b] = [ports(link.source), ports(told)];
  const legs: Leg[] = await Promise.all(here.map((lun) => makeOffer(lun, { random: a.random })));
  const common = { handOver: "bench", windowMs: 60_000, timeoutMs: 60_000, committed: false, method: "token" as const };
  const source: Run = { ...common, role: "source", legs, ports: a };
  const found = there.values();
  const legsThere = await findLegs(legs.map((leg) => leg.offer), () => Promise.resolve(found.next().value!));
  const destination: Run = { ...common, role: "destination", legs: legsThere, ports: b };
  let begun = NaN;
  const gate = (): Promise<void> => {
    begun = performance.now();
    return Promise.resolve();
  };
  let verified = NaN;
  const arrive = async (): Promise<Ending> => {
    const ending = await runDestination(destination);
    verified = performance.now();
    return ending;
  };
  const endings = await Promise.all([runSource(source, new Lease(60_000, clock.now()), gate), arrive()]);
  if (endings.some((ending) => ending.outcome !== "moved")) throw new Error(`not moved: ${JSON.stringify(endings)}`);
  return { taken: taken - begun, verified: verified - begun };
}
