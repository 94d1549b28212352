/**
 * The scenes a model check begins with: a LUN on which the source holds, and the two sides' code with its LUNs open.
 *
 * @module
 */
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import { runDestination } from "../../lib/migrate/destination.ts";
import { Lease } from "../../lib/migrate/lease.ts";
import type { Lun } from "../../lib/migrate/lun.ts";
import { makeOffer } from "../../lib/migrate/make_offer.ts";
import type { Method } from "../../lib/migrate/messages.ts";
import type { Offer } from "../../lib/migrate/offer.ts";
import { recover, type RecoverOptions, resumeRun } from "../../lib/migrate/recover.ts";
import { pathsIn, type Run, takesUnasked, writeDown } from "../../lib/migrate/run.ts";
import { runSource } from "../../lib/migrate/source.ts";
import { prOut } from "../../lib/pr/commands.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { patient } from "../../lib/pr/patient.ts";
import type { Profile } from "../../lib/pr/sim/profile.ts";
import type { PrType } from "../../lib/pr/types.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";
import { Luns } from "./luns.ts";
import { Legs, type Main, type ProcessPorts, Tree } from "./process.ts";

/** The guest's key. */
export const K = 0x123abcn;
/** The key the guest takes where it re-keys itself. */
export const K2 = 0x123defn;
/** The bystander's key, unless it shares the guest's. */
export const C_KEY = 0xccccn;
/** The fencing third party's key. */
export const T_KEY = 0xfe7cen;
/** Milliseconds: the source's window, and every time-out. */
export const WINDOW_MS = 5000;

/** Which side. */
export type Who = "source" | "destination";
/** Initiator names on the simulated LUN. */
export const NEXUS: Readonly<Record<Who, string>> = { source: "a", destination: "b" };

/** Changes one side's ports: how a defect is put into the code under check without touching it. */
export type Mutation = Partial<Record<Who, (ports: ProcessPorts, offer: Offer) => ProcessPorts>>;

/** How many of each kind of trouble one course of events may have. */
export interface Budget {
  readonly crashes: number;
  /** Faults of the scene's kinds: see {@link FAULTS}. */
  readonly faults: number;
  /** Times at which a deadline passes although somebody could still act before it. */
  readonly jumps: number;
  /** Times at which a person presses Ctrl-C, or stops a side by SIGTERM. Default 0. */
  readonly interrupts?: number;
}

/** Kinds of fault: a PERSISTENT RESERVE OUT that times out, a LUN that cannot be read, a full disk, a link that breaks. */
export const FAULTS = ["timeout", "unreadable", "disk", "link"] as const;
/** `refused`: a PERSISTENT RESERVE OUT that the LUN refuses, having done nothing; only in scenes that name it. */
export type Fault = typeof FAULTS[number] | "refused";

/** One scene to explore. */
export interface Variant {
  readonly name: string;
  readonly type: PrType | 0;
  readonly shared: boolean;
  readonly duplex: boolean;
  readonly method: Method;
  /** A third party preempts K at some instant. */
  readonly fence: boolean;
  readonly profile: Profile;
  /** Paths of each side. */
  readonly paths: 1 | 2;
  /** LUNs of the hand-over. The third party and the guest deal with the first one. Default 1. */
  readonly luns?: 1 | 2;
  readonly ptpl: boolean;
  /** How far the clock moves at a time. 5000: past every time-out of the source; 2500: past the grace of one that leaves. Default 5000. */
  readonly jumpMs?: number;
  readonly budget: Budget;
  /** What the guest does at some instant before the gate opens; the hand-over then waits at a gate. Two-way only. */
  readonly guest?: "re-keys" | "changes type";
  /** The guest does it not before the gate opens, but once the source turns back, and it runs again. */
  readonly resumes?: boolean;
  /** The type that it changes to; 0: it releases. Default: {@link otherType}. */
  readonly becomes?: PrType | 0;
  /** The kinds of fault there are. Default: all. */
  readonly kinds?: readonly Fault[];
  /** Trouble and fencing come no earlier than this on the scene's clock, in milliseconds: when both sides are on their way back, say. */
  readonly troubleFromMs?: number;
  /** The destination is killed in any case, once it has registered and waits for the commit, and never comes back. */
  readonly destinationDies?: boolean;
  /** The one side that may be killed. Default: either. */
  readonly killed?: Who;
  /** A person may take the LUN back with `prmig rollback` once it has been handed over. */
  readonly rollback?: boolean;
  readonly mutation?: Mutation;
}

/** A scene ready to be explored. */
export interface Scene {
  readonly variant: Variant;
  readonly luns: Luns;
  /** What is offered of the first LUN; of the others it is the same but for the one-time keys. */
  readonly offer: Offer;
  readonly offers: readonly Offer[];
  readonly source: Tree;
  destination(now: number): Tree;
  recover(who: Who, entry: JournalEntry, journal: number, now: number, endedMsAgo: number, evenIfTaken?: boolean): Tree;
}

/** The type after the guest has changed it: another one of the same kind. */
export function otherType(type: PrType | 0): PrType {
  return type === 8 ? 7 : type === 5 ? 6 : 5;
}

/** A LUN on which the source holds what the variant says. */
async function setLun(
  { type, shared, fence, profile, ptpl }: Variant,
  number: number,
  ports: number,
): Promise<MemoryLun> {
  const lun = new MemoryLun({ profile, identity: { serial: `000${number + 1}` } });
  const register = (name: string, sark: bigint, port?: number): Promise<unknown> =>
    prOut(lun.nexus(name, port), { action: "register", rk: 0n, sark, aptpl: ptpl });
  for (let port = 1; port <= ports; port++) await register("a", K, port);
  await register("c", shared ? K : C_KEY);
  if (fence && number === 0) await register("t", T_KEY);
  if (type !== 0) await prOut(lun.nexus("a"), { action: "reserve", rk: K, type });
  return lun;
}

/** Sets a scene. */
export async function setScene(variant: Variant): Promise<Scene> {
  const { paths, mutation = {} } = variant;
  const luns: MemoryLun[] = [];
  for (let number = 0; number < (variant.luns ?? 1); number++) luns.push(await setLun(variant, number, paths));

  const open = (who: Who, number: number, wrap: (nexus: Nexus, id: string) => Nexus): Lun => ({
    device: number === 0 ? NEXUS[who] : `${NEXUS[who]}, LUN ${number + 1}`,
    designator: `naa.600140500000000${number + 1}`,
    paths: Array.from({ length: paths }, (_, i) => ({
      nexus: wrap(luns[number]!.nexus(NEXUS[who], i + 1), i === 0 ? NEXUS[who] : `${NEXUS[who]}#${i + 1}`),
      relativeTargetPort: i + 1,
    })),
  });
  let random = 0;
  const offers: Offer[] = [];
  for (const number of luns.keys()) {
    const { offer } = await makeOffer(open("source", number, (nexus) => nexus), { random: () => ++random });
    offers.push(offer);
  }
  const offer = offers[0]!;

  const prepared = (who: Who, ports: ProcessPorts): { ports: ProcessPorts; luns: Lun[] } => {
    const changed = mutation[who]?.(ports, offer) ?? ports;
    const { clock } = changed;
    const patiently = (nexus: Nexus): Nexus =>
      patient(nexus, { sleep: (ms) => clock.sleep(ms), now: () => clock.now() });
    const opened = offers.map((_, number) =>
      open(who, number, (nexus, id) => patiently(changed.nexus(number, id, nexus)))
    );
    return { ports: changed, luns: opened };
  };
  const common = { handOver: "00000000-0000-4000-8000-000000000000", windowMs: WINDOW_MS, timeoutMs: WINDOW_MS };
  const runOf = (who: Who, mine: { ports: ProcessPorts; luns: Lun[] }): Run => ({
    ...common,
    role: who,
    method: variant.method,
    legs: Legs.from(mine.luns, (lun, i) => ({ lun, own: pathsIn(offers[i]!, lun), offer: offers[i]! })),
    ports: mine.ports,
    committed: who === "source" && takesUnasked({ method: variant.method, ports: mine.ports }),
  });
  const source: Main = async (given) => {
    const mine = prepared("source", given);
    const run = runOf("source", mine);
    await writeDown(run, "offered");
    const lease = new Lease(WINDOW_MS, mine.ports.clock.now());
    await mine.ports.offer();
    return await runSource(run, lease, variant.guest && (() => mine.ports.gate));
  };
  const destination: Main = (given) => runDestination(runOf("destination", prepared("destination", given)));
  const recovery = (who: Who, entry: JournalEntry, options: RecoverOptions): Main => async (given) => {
    const mine = prepared(who, given);
    const run = resumeRun(entry, mine.luns, mine.ports, WINDOW_MS);
    return await recover({ ...run, legs: Legs.from(run.legs) }, options);
  };

  const severalLegs = luns.length > 1;
  const trees = new Map<string, Tree>();
  const once = (name: string, make: () => Tree): Tree => {
    const known = trees.get(name) ?? make();
    trees.set(name, known);
    return known;
  };
  return {
    variant,
    luns: new Luns(luns.map(({ model }) => model)),
    offer,
    offers,
    source: new Tree(variant.duplex, 0, source, severalLegs),
    destination: (now) => once(`d${now}`, () => new Tree(variant.duplex, now, destination, severalLegs)),
    recover: (who, entry, journal, now, endedMsAgo, evenIfTaken = false) => {
      const options = { timeoutMs: WINDOW_MS, endedMsAgo, evenIfTaken, unfenced: evenIfTaken };
      return once(
        `${who}${journal}@${now}-${endedMsAgo}${evenIfTaken}`,
        () => new Tree(false, now, recovery(who, entry, options), severalLegs),
      );
    },
  };
}
