/** For the tests of the watch: a clock that is moved by hand, a kernel that says what it is told, a LUN to look at. */
import type { KernelBackend, KernelBatch, KernelSight } from "../../../lib/snoop/kernel/backend.ts";
import type { KernelCommand, KernelRecord } from "../../../lib/snoop/kernel/correlate.ts";
import type { PolledDevice } from "../../../lib/snoop/poll.ts";
import type { WatchClock } from "../../../lib/snoop/watch.ts";
import { encodePrOut } from "../../../lib/pr/pr_out.ts";
import { type PrOutAction, prOutCdb } from "../../../lib/pr/cdb.ts";
import { isOwn } from "../../../lib/pr/own.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

/** Lets everything that needs no time happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}

/** Time stands still until it is moved. Starts at 1 s of CLOCK_MONOTONIC, 2026-01-01 in the wall. */
export class HandClock implements WatchClock {
  #now = 1_000_000;
  #timers: { at: number; call: () => void }[] = [];

  /** Microseconds between the ticks of the wall clock. */
  coarseUs = 1;
  /** By how much somebody has set the wall clock. */
  setUs = 0;

  /** How long the program is held up whenever it has read the wall clock. */
  heldUpUs = 0;

  nowUs = (): number => this.#now;
  wallUs = (): number => {
    const exactUs = Date.UTC(2026, 0, 1) * 1000 + this.#now + this.setUs;
    this.#now += this.heldUpUs;
    return exactUs - exactUs % this.coarseUs;
  };
  after = (ms: number, call: () => void): () => void => {
    const timer = { at: this.#now + ms * 1000, call };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((other) => other !== timer);
  };

  /** Timers set now. */
  get pending(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms * 1000;
    await settle();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** A kernel in a test's hands. Markers come back in order, as the real one's do, unless `deaf`. */
export class HandKernel implements KernelBackend {
  sight: KernelSight = { keys: "all", blind: [], notes: [] };
  closed = false;
  deaf = false;
  #queue: KernelBatch[] = [];
  #wake: (() => void) | null = null;

  say(...records: KernelRecord[]): void {
    this.#push({ kind: "records", records });
  }
  end(reason: string): void {
    this.#push({ kind: "ended", reason });
  }
  mark(text: string): boolean {
    if (!this.deaf) this.say({ kind: "marker", atUs: 0, text });
    return true;
  }
  async next(): Promise<KernelBatch> {
    while (this.#queue.length === 0) {
      if (this.closed) return { kind: "closed" };
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#queue.shift()!;
  }
  close(): void {
    this.closed = true;
    this.#wake?.();
  }
  #push(batch: KernelBatch): void {
    this.#queue.push(batch);
    this.#wake?.();
  }
}

const ACTIONS: Record<string, number> = { register: 0, reserve: 1, release: 2, clear: 3, preempt: 4 };

/** A command as the kernel tells it; keys unknown without `rk`. */
export function told(
  atUs: number,
  action: string,
  { rk, sark = 0n, type = 0, status = 0, hctl = "0:0:1:0" }: {
    rk?: bigint;
    sark?: bigint;
    type?: number;
    status?: number;
    hctl?: string;
  } = {},
): KernelCommand {
  return {
    kind: "command",
    atUs,
    startedUs: atUs - 100,
    hctl,
    cdb: Uint8Array.of(0x5f, ACTIONS[action]!, type, 0, 0, 0, 0, 0, 24, 0),
    keys: rk === undefined ? null : { rk, sark, tail: null },
    task: { comm: "sg_persist", tid: 12, tgid: 12 },
    end: "done",
    late: false,
    status,
    host: "DID_OK",
    sense: null,
  };
}

/** A LUN in memory that several initiators use, and that can be looked at through any of them. */
export class Scene {
  readonly lun = new MemoryLun();

  /** Sends a PERSISTENT RESERVE OUT through a nexus. */
  async send(nexus: string, action: PrOutAction, rk: bigint, sark = 0n, type = 0): Promise<number> {
    const reply = await this.lun.nexus(nexus).execute(prOutCdb({ action, type }), encodePrOut({ rk, sark }));
    return reply.status;
  }

  /** The LUN opened for looking, through nexuses that tests may have wrapped. */
  device(...paths: Nexus[]): PolledDevice {
    const nexuses = paths.length > 0 ? paths : [this.lun.nexus("W")];
    return {
      paths: nexuses,
      designator: "naa.6001",
      addresses: [],
      isOwn: (registration) => isOwn(registration, this.lun.nexus("A").initiator, 1),
      close: () => {},
    };
  }
}
