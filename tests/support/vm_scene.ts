/**
 * A guest on one simulated QEMU, its disk on a simulated LUN, a destination QEMU, and `prmig recv` beside that one: all that
 * `prmig migrate` drives, in one process and in virtual time.
 *
 * @module
 */
import { PrmigError } from "../../lib/errors.ts";
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import { linesOf } from "../../lib/migrate/lines.ts";
import { streamLink } from "../../lib/migrate/links.ts";
import type { Lun } from "../../lib/migrate/lun.ts";
import type { Ports } from "../../lib/migrate/ports.ts";
import { startDestination } from "../../lib/migrate/start.ts";
import { OfferReader } from "../../lib/migrate/stream.ts";
import type { VmGate } from "../../lib/migrate/vm/gates.ts";
import { startLunMove } from "../../lib/migrate/vm/lun_move.ts";
import {
  type Migrated,
  migrateGuest,
  type MigrateWorld,
  type MigrationPlan,
} from "../../lib/migrate/vm/migrate_guest.ts";
import { Monitor } from "../../lib/migrate/vm/monitor.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { patient } from "../../lib/pr/patient.ts";
import { readRegistrations } from "../../lib/pr/read_state.ts";
import type { PrType } from "../../lib/pr/types.ts";
import { connectQmp, type QmpChannel } from "../../lib/qmp/client.ts";
import { QmpError } from "../../lib/qmp/error.ts";
import { Qemu } from "../../lib/qmp/qemu.ts";
import { duplexPair, type End } from "./duplex_pair.ts";
import { K, ports, type Scene, scene } from "./hand_over_scene.ts";
import type { GuestWrite } from "./sim_guest.ts";
import { SimQemu, type SimQemuOptions } from "./sim_qemu.ts";
import { VirtualClock } from "./virtual_clock.ts";

export const URI = "unix:/run/mig";
const TIMEOUT_MS = 5000;

/** Choices for a scene. */
export interface VmSceneOptions {
  readonly type?: PrType | 0;
  readonly shared?: boolean;
  /** The destination's monitor is named to prmig. */
  readonly monitored?: boolean;
  readonly gate?: VmGate;
  readonly uri?: string | null;
  readonly source?: Partial<SimQemuOptions>;
  readonly destination?: Partial<SimQemuOptions>;
  /** What every command of prmig takes, in milliseconds. */
  readonly commandMs?: number;
}

/** Everything, before prmig begins. */
export interface VmScene extends Disposable {
  readonly lun: Scene;
  readonly writes: readonly GuestWrite[];
  readonly clock: VirtualClock;
  readonly src: SimQemu;
  readonly dst: SimQemu;
  readonly stop: AbortController;
  /** The connection to `prmig recv`, its far end. */
  readonly link: { cut: () => void };
  readonly journals: { source: JournalEntry[]; destination: JournalEntry[] };
  readonly told: string[];
  readonly plans: MigrationPlan[];
  /** How `recv` ended: "moved", or its error. */
  recv: Promise<string>;
  /** Replaces the LUN recv finds. */
  destinationLun: () => Promise<Lun>;
  migrate(): Promise<Migrated>;
  /** SIGKILL of prmig after so many milliseconds: nothing of it reaches a QEMU, the LUN, recv or the journal any more. */
  dieAfter(ms: number): Promise<void>;
}

/** Sets the scene: the guest runs and counts, and holds `type`. */
export async function vmScene(options: VmSceneOptions = {}): Promise<VmScene> {
  const { type = 5, shared = false, monitored = true } = options;
  const clock = new VirtualClock();
  const s = await scene({ type, shared, clock, wrap: (nexus) => slow(nexus, clock, options.commandMs ?? 0) });
  const network = new Map<string, SimQemu>();
  const common = { clock, network };
  const src = new SimQemu({ name: "src", ...common, nexus: s.lun.nexus("A"), ...options.source });
  const dst = new SimQemu({ name: "dst", ...common, nexus: s.lun.nexus("B"), incoming: URI, ...options.destination });
  const stop = new AbortController();
  const journals = { source: [] as JournalEntry[], destination: [] as JournalEntry[] };
  const told: string[] = [];
  const plans: MigrationPlan[] = [];
  const open = (qemu: SimQemu) => (): Promise<Qemu> =>
    life.dead ? new Promise(() => {}) : connect(qemu, clock, (channel) => void life.monitors.push(channel));
  const link = { cut: (): void => {} };
  const life = { dead: false, monitors: [] as QmpChannel[] };
  const self: VmScene = {
    lun: s,
    writes: src.guest!.writes,
    clock,
    src,
    dst,
    stop,
    link,
    journals,
    told,
    plans,
    recv: Promise.resolve("never started"),
    destinationLun: () => Promise.resolve(s.b),
    dieAfter: async (ms) => {
      await clock.sleep(ms);
      life.dead = true;
      link.cut();
      for (const channel of life.monitors) await channel.close();
    },
    [Symbol.dispose]: () => {
      src.die();
      dst.die();
    },
    migrate: async () => {
      const world: MigrateWorld = {
        source: await Monitor.open(open(src)),
        destination: monitored ? await Monitor.open(open(dst)) : null,
        clock,
        report: ({ phase, text }) => void told.push(`${phase}: ${text}`),
        onProgress: () => {},
        signal: stop.signal,
        random: counter(),
        rehearse: () => Promise.resolve(),
        openLun: () => Promise.resolve(mortal(s.a, life)),
        onPlan: (plan) => void plans.push(plan),
        writeDown: () => Promise.resolve(),
        handOver: (luns) => {
          const [near, far] = duplexPair();
          link.cut = far.cut;
          self.recv = recv(self, far);
          const mine = ports(s, journals.source, overEnd(near, clock));
          const tell: Ports = {
            ...mine,
            journal: { write: (entry) => life.dead ? new Promise(() => {}) : mine.journal.write(entry) },
            random: world.random,
            interrupted: () => stop.signal.aborted,
            report: world.report,
          };
          return Promise.resolve(startLunMove(luns, tell, {
            handOver: "00000000-0000-4000-8000-000000000000",
            timeoutMs: TIMEOUT_MS,
            writeOffer: near.write,
          }));
        },
      };
      const { gate } = options;
      const uri = options.uri === undefined ? URI : options.uri;
      try {
        return await migrateGuest(world, { timeoutMs: TIMEOUT_MS, ...gate && { gate }, ...uri !== null && { uri } });
      } finally {
        await world.source.close();
        await world.destination?.close();
      }
    },
  };
  return self;
}

function overEnd(end: End, clock: VirtualClock): Ports["link"] {
  return streamLink({ lines: linesOf(end.readable), write: end.write, clock, onBroken: () => {} });
}

/** `prmig recv` at the other end. */
async function recv(self: VmScene, end: End): Promise<string> {
  const lines = linesOf(end.readable);
  const reader = new OfferReader();
  while (!reader.whole) {
    const { done, value } = await lines.next();
    if (done) return "no offer";
    await self.clock.whileBusy(reader.take(value));
  }
  const link = streamLink({ lines, write: end.write, clock: self.clock, onBroken: () => {} });
  try {
    const { ending } = await startDestination(reader.whole, ports(self.lun, self.journals.destination, link), {
      timeoutMs: TIMEOUT_MS,
      find: () => self.destinationLun(),
    });
    return ending.outcome;
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    return `${error.kind}: ${error.message}`;
  } finally {
    end.cut();
  }
}

/** A LUN that a dead prmig cannot reach. */
function mortal(lun: Lun, life: { readonly dead: boolean }): Lun {
  const paths = lun.paths.map(({ nexus, relativeTargetPort }) => ({
    relativeTargetPort,
    nexus: {
      address: nexus.address,
      initiator: nexus.initiator,
      execute: (...args: Parameters<Nexus["execute"]>) =>
        life.dead ? new Promise<never>(() => {}) : nexus.execute(...args),
      close: () => nexus.close(),
    },
  }));
  return { ...lun, paths };
}

/** A QEMU as recovery finds it. */
export async function find(qemu: SimQemu, clock: VirtualClock): Promise<Monitor | "gone"> {
  return qemu.alive ? await Monitor.open(() => connect(qemu, clock)) : "gone";
}

async function connect(
  qemu: SimQemu,
  clock: VirtualClock,
  opened: (channel: QmpChannel) => void = () => {},
): Promise<Qemu> {
  if (!qemu.alive) {
    const address = `/run/${qemu.name}/qmp`;
    const facts = { address, command: null, mayBeDone: false };
    throw new QmpError("closed", `cannot connect to ${address}: Connection refused`, facts);
  }
  const channel = qemu.connect();
  opened(channel);
  return new Qemu(await connectQmp(channel, clock, TIMEOUT_MS), TIMEOUT_MS);
}

function slow(nexus: Nexus, clock: VirtualClock, ms: number): Nexus {
  if (ms === 0) return nexus;
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: async (cdb, data, options) => {
      await clock.sleep(ms);
      return await nexus.execute(cdb, data, options);
    },
    close: () => nexus.close(),
  };
}

function counter(): () => number {
  let n = 1;
  return () => n++;
}

/** Migrates, and gives the exit's kind: "ok" or that of the error; with its report. */
export async function attempt(self: VmScene): Promise<{ kind: string; message: string; lun: string; remedy: string }> {
  try {
    const { guest } = await self.migrate();
    return { kind: "ok", message: "", lun: guest, remedy: "" };
  } catch (error) {
    // Before anything is asked of it, a monitor that does not work is for the command line to tell.
    if (error instanceof QmpError) return { kind: "failed", message: error.message, lun: "", remedy: "" };
    if (!(error instanceof PrmigError)) throw error;
    return { kind: error.kind, message: error.message, lun: error.facts.lun, remedy: error.facts.remedy };
  }
}

/** What is to be seen at the end. */
export interface Seen {
  /** Where the guest counts: "src", "dst", "nowhere", "both". */
  readonly counts: string;
  /** Who is registered, without the bystander, and who holds: "B=123abc*". */
  readonly lun: string;
  readonly failedWrites: number;
  /** Numbers that were not written, or twice. */
  readonly gaps: number;
}

/** Lets some time pass and looks. */
export async function look(self: VmScene): Promise<Seen> {
  const { src, dst, lun, clock } = self;
  const { writes } = self;
  const before = writes.length;
  await clock.sleep(200);
  const later = new Set(writes.slice(before).filter((w) => w.ok).map((w) => w.at));
  const state = await readRegistrations(patient(lun.lun.nexus("C")));
  const who = state.registrations.flatMap(({ key, holder, transportId }) => {
    const name = transportId!.address.at(-1)!.toUpperCase();
    return name === "C" ? [] : `${name}=${key === K ? "K" : key.toString(16)}${holder ? "*" : ""}`;
  });
  const numbers = writes.map((w) => w.counter);
  return {
    counts: later.size === 0 ? "nowhere" : later.size > 1 || src.running && dst.running ? "both" : [...later][0]!,
    lun: who.sort().join(" "),
    failedWrites: writes.filter((w) => !w.ok).length,
    gaps: numbers.filter((n, i) => i > 0 && n !== numbers[i - 1]! + 1).length,
  };
}
