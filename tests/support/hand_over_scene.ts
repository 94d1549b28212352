/**
 * A hand-over on one simulated LUN: source A, destination B, bystander C; what happens on the way is up to the test.
 *
 * @module
 */
import { findLegs } from "../../lib/migrate/start.ts";
import type { Method } from "../../lib/migrate/messages.ts";
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import type { Lun } from "../../lib/migrate/lun.ts";
import type { Clock, Link, Ports, Progress } from "../../lib/migrate/ports.ts";
import { lunLink } from "../../lib/migrate/links.ts";
import { makeOffer } from "../../lib/migrate/make_offer.ts";
import { type Run, takesUnasked } from "../../lib/migrate/run.ts";
import { prOut } from "../../lib/pr/commands.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { patient } from "../../lib/pr/patient.ts";
import type { PrType } from "../../lib/pr/types.ts";
import { MemoryLun, type MemoryLunOptions } from "../../lib/sim/memory_lun.ts";

/** The guest's key. */
export const K = 0x123abcn;
/** The bystander's key, unless it shares the guest's. */
export const C_KEY = 0xccccn;
export const DESIGNATOR = "naa.6001405000000001";

/** What the LUN looks like before. */
export interface SceneOptions extends MemoryLunOptions {
  readonly type: PrType | 0;
  /** The bystander is registered under the guest's key. */
  readonly shared?: boolean;
  /** Wraps every nexus of a side. */
  readonly wrap?: (nexus: Nexus, side: "A" | "B") => Nexus;
  readonly clock: Clock;
}

/** One side's journal, kept in memory. */
export interface MemoryJournal {
  readonly entries: JournalEntry[];
}

/** A prepared scene. */
export interface Scene {
  readonly lun: MemoryLun;
  readonly a: Lun;
  readonly b: Lun;
  readonly clock: Clock;
  readonly told: Progress[];
}

/** A registered under K and holding `type`, C registered. */
export async function scene(options: SceneOptions): Promise<Scene> {
  const lun = new MemoryLun(options);
  const { type, shared = false, clock, wrap = (nexus) => nexus } = options;
  await prOut(lun.nexus("A"), { action: "register", rk: 0n, sark: K, aptpl: false });
  await prOut(lun.nexus("C"), { action: "register", rk: 0n, sark: shared ? K : C_KEY, aptpl: false });
  if (type !== 0) await prOut(lun.nexus("A"), { action: "reserve", rk: K, type });
  const side = (name: "A" | "B"): Lun => ({
    device: `sim:${name}`,
    designator: DESIGNATOR,
    paths: [{
      nexus: patient(wrap(lun.nexus(name), name), { sleep: (ms) => clock.sleep(ms), now: () => clock.now() }),
      relativeTargetPort: 1,
    }],
  });
  return { lun, a: side("A"), b: side("B"), clock, told: [] };
}

/** Ports for one side. */
export function ports(scene: Scene, entries: JournalEntry[] = [], link: Link = lunLink(scene.clock)): Ports {
  let random = 1;
  return {
    link,
    clock: scene.clock,
    journal: { write: (entry) => Promise.resolve(void entries.push(entry)) },
    random: () => random++,
    report: (progress) => void scene.told.push(progress),
    interrupted: () => false,
  };
}

/** The two runs of a hand-over that is about to begin. */
export async function runs(
  scene: Scene,
  a: Ports,
  b: Ports,
  timeoutMs = 5000,
  method: Method = "token",
): Promise<{ source: Run; destination: Run }> {
  const leg = await makeOffer(scene.a, { random: a.random });
  const common = { handOver: "00000000-0000-4000-8000-000000000000", windowMs: timeoutMs, timeoutMs, method };
  const source: Run = {
    ...common,
    role: "source",
    legs: [leg],
    ports: a,
    committed: takesUnasked({ method, ports: a }),
  };
  const legs = await findLegs([leg.offer], () => Promise.resolve(scene.b));
  return { source, destination: { ...common, role: "destination", legs, ports: b, committed: false } };
}
