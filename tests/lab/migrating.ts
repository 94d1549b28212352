/**
 * A guest that travels between two "hosts" of the lab: nexus A and nexus B, each with Debian's qemu-pr-helper, and a QEMU
 * per stay. It holds its reservations and counts without pause; whoever tests looks at what it counted, and at the LUN.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Guest, type PrHelper, startGuest, startPrHelper } from "./guest/guest.ts";
import { parseTick, type Tick } from "./guest/console.ts";
import { MemoryLost, refuseLostMemory } from "./guest/lost_memory.ts";
import {
  drainAttentions,
  freshLab,
  lab,
  type LabLun,
  lun,
  type NexusName,
  prmigCommand,
  readState,
  type Running,
  start,
} from "./support.ts";

/** The guest's key. */
export const GUEST_KEY = 0xbeefn;

/** Times that a journey is begun anew when QEMU has lost the guest's memory (guest/lost_memory.ts). */
const ATTEMPTS = 4;
/** A guest that counts says something many times in this time. */
const SILENT_MS = 15_000;

/** What the guest does with one of its disks: reserves with a type, only registers (0), or nothing (null). */
export type Holding = number | null;

/** Two hosts, a guest on the first. */
export class Journey implements AsyncDisposable {
  /** The QEMU the guest is in. */
  here: Guest;
  #helpers: Readonly<Record<"A" | "B", PrHelper>>;
  #all: Guest[] = [];
  #at: "A" | "B" = "A";
  #stays = 0;

  private constructor(
    readonly holdings: readonly Holding[],
    private readonly extra: readonly LabLun[],
    helpers: Record<"A" | "B", PrHelper>,
    guest: Guest,
  ) {
    this.here = guest;
    this.#helpers = helpers;
    this.#all.push(guest);
  }

  /**
   * Starts helpers and the guest on host A; the guest takes what it is to hold, and counts on its first disk. Disk N is the
   * lab's LUN N; `extra` are those beyond the lab's own.
   */
  static async begin(holdings: readonly Holding[], extra: readonly LabLun[] = []): Promise<Journey> {
    const helpers = { A: await startPrHelper("a"), B: await startPrHelper("b") };
    const guest = await startGuest({
      name: "src",
      disks: disksOn("A", holdings, helpers.A, extra),
      boot: "saved",
    });
    const journey = new Journey(holdings, extra, helpers, guest);
    try {
      await guest.findDisks();
      for (const [disk, holding] of holdings.entries()) {
        if (holding === null) continue;
        await journey.ask(`guest pr-out /dev/sg${disk} 0 0 0 ${hex(GUEST_KEY)}`);
        if (holding > 0) await journey.ask(`guest pr-out /dev/sg${disk} 1 ${holding} ${hex(GUEST_KEY)} 0`);
      }
      await drainAttentions();
      await guest.console.send("guest tick /dev/sda 0 &");
      await guest.console.moreTicks(2);
      return journey;
    } catch (error) {
      await journey[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A command in the guest that must work. */
  async ask(command: string): Promise<void> {
    const { code, output } = await this.here.console.run(command);
    assert.equal(code, 0, `${command}: ${output}`);
  }

  get at(): "A" | "B" {
    return this.#at;
  }

  get elsewhere(): "A" | "B" {
    return this.#at === "A" ? "B" : "A";
  }

  /** A QEMU on the other host that waits for the guest. */
  async destination(options: { readonly paused?: boolean; readonly boot?: "defer" } = {}): Promise<Guest> {
    const name = `stay-${++this.#stays}`;
    const host = this.elsewhere;
    const guest = await startGuest({
      name,
      disks: disksOn(host, this.holdings, this.#helpers[host], this.extra),
      boot: options.boot ?? `unix:/run/lab-guest/${name}.mig`,
      paused: options.paused ?? false,
    });
    this.#all.push(guest);
    return guest;
  }

  /** Where a destination listens. */
  uriOf(destination: Guest): string {
    return `unix:/run/lab-guest/${destination.name}.mig`;
  }

  /** `prmig migrate` from here to a destination, as a process; `recv` is told the destination's devices. */
  prmig(destination: Guest, options: readonly string[] = [], env: Record<string, string> = {}): Running {
    return start(prmigCommand(this.arguments(destination, options)), { env, timeoutMs: 180_000 });
  }

  arguments(destination: Guest, options: readonly string[] = []): string[] {
    const recv = prmigCommand(["recv", ...this.devicesAt(this.elsewhere)]).join(" ");
    const given = (name: string): boolean => options.includes(name);
    return [
      ...["migrate", "--uri", this.uriOf(destination)],
      ...given("--qmp") ? [] : ["--qmp", this.here.qmpSocket],
      ...given("--to") ? [] : ["--to", recv],
      ...options,
    ];
  }

  /** The host's devices of the disks that move. */
  devicesAt(host: "A" | "B"): string[] {
    return this.holdings.flatMap((holding, disk) => holding === null ? [] : [lunOf(disk, this.extra).nexuses[host].sd]);
  }

  /** The guest has gone to a QEMU on the other host; what it said `since` that line of its console is looked at. */
  async arrivedIn(destination: Guest, since = 0): Promise<void> {
    const before = this.here;
    this.here = destination;
    this.#at = this.elsewhere;
    await assertUnbroken(before, destination, since);
    await before.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const guest of this.#all) await guest.stop();
    for (const helper of Object.values(this.#helpers)) await helper.stop();
  }
}

function disksOn(
  host: "A" | "B",
  holdings: readonly Holding[],
  helper: PrHelper,
  extra: readonly LabLun[],
): { device: string; helper: string }[] {
  return holdings.map((_, disk) => ({ device: lunOf(disk, extra).nexuses[host].sd, helper: helper.socket }));
}

function lunOf(disk: number, extra: readonly LabLun[]): LabLun {
  const own = lab().luns;
  return own[disk] ?? extra[disk - own.length]!;
}

/** The guest counts on in `to` where it stopped in `from`: no failed write, no number left out. */
async function assertUnbroken(from: Guest, to: Guest, since: number): Promise<void> {
  await comesToLife(to);
  // The line that was being printed when the guest moved has its end in the other QEMU.
  const lines = [
    ...from.console.lines.slice(since).map(({ text }) => text),
    ...to.console.lines.map(({ text }, i) => i === 0 ? from.console.rest + text : text),
  ];
  const ticks = lines.map((text) => parseTick({ text, at: 0 })).filter((tick) => tick !== undefined);
  assertCounted(ticks);
}

/** Rejects with MemoryLost where QEMU is to blame. */
async function comesToLife(guest: Guest): Promise<void> {
  try {
    await guest.console.moreTicks(3, SILENT_MS);
  } catch (silence) {
    if (await hasEnded(guest)) throw new Error(`its QEMU has ended: ${guest.complaints()}`, { cause: silence });
    await refuseLostMemory(guest);
    await guest.console.moreTicks(3);
  }
}

function hasEnded({ ended }: Guest): Promise<boolean> {
  return Promise.race([ended.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 100, false))]);
}

/**
 * Does something that moves a guest, and does it again from the beginning, in a fresh lab, when QEMU has lost the guest's
 * memory: said each time.
 */
export async function whileMemoryHolds<T>(body: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof MemoryLost) || attempt === ATTEMPTS) throw error;
      console.error(`lab: done again: ${error.message}`);
      await freshLab();
    }
  }
}

/** One guest for many moves, one after the other; another one after a move that went wrong. */
export class Travels implements AsyncDisposable {
  #journey: Journey | null = null;

  /** `makeRoom` is done before a guest begins its travels. */
  constructor(private readonly holdings: readonly Holding[], private readonly makeRoom = freshLab) {}

  /** Moves the guest; again, with another one, when QEMU has lost its memory. */
  go<T>(move: (journey: Journey) => Promise<T>): Promise<T> {
    return whileMemoryHolds(async () => {
      try {
        this.#journey ??= await this.#begin();
        return await move(this.#journey);
      } catch (error) {
        await this[Symbol.asyncDispose]();
        throw error;
      }
    });
  }

  async #begin(): Promise<Journey> {
    await this.makeRoom();
    return await Journey.begin(this.holdings);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journey?.[Symbol.asyncDispose]();
    this.#journey = null;
  }
}

/** Every number once, in order, none failed. */
export function assertCounted(ticks: readonly Tick[]): void {
  assert.deepEqual(ticks.filter((tick) => !tick.ok), []);
  const first = ticks[0]!.counter;
  assert.deepEqual(ticks.map(({ counter }) => counter), ticks.map((_, i) => first + i));
}

/** Who is registered with a LUN of the lab and who holds: "A=beef*". */
export async function whoHolds(number = 0): Promise<string> {
  const { nexuses } = lun(number);
  const { registrants } = await readState(nexuses.C);
  const nameOf = (port: string): string =>
    (["A", "B", "C"] as NexusName[]).find((name) => nexuses[name].initiatorPort === port) ?? port;
  return registrants.map(({ key, holder, initiatorPort }) =>
    `${nameOf(initiatorPort)}=${key.toString(16)}${holder ? "*" : ""}`
  ).sort().join(" ");
}

function hex(key: bigint): string {
  return `0x${key.toString(16)}`;
}
