/**
 * One story out of two witnesses: a PR OUT that a helper sent is seen by the kernel, too, and told once, as the helper
 * tells it (exact keys, the guest's process).
 *
 *     kernel's --> held while its twin may come (its process is a helper's) --> told, or dropped for its twin
 *     helper's --> told at once; the twin that comes later is dropped
 *
 * What the kernel tells stays in order: behind one that is held the others wait. Both clocks are CLOCK_MONOTONIC, and
 * the kernel's completion lies between the helper's start and end. Bounded in number and time.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";
import type { PollClock } from "./poll.ts";

/** How long the kernel's event waits for the helper's, and how long a told helper event is remembered. */
const HOLD_MS = 300, REMEMBER_US = 10_000_000;
const MOST_REMEMBERED = 1024;

interface Held {
  readonly event: PrEvent;
  /** Tells it, or its twin in its place. */
  tell: () => void;
  cancel: () => void;
  /** Its twin may still come. */
  waiting: boolean;
}

/** Joins the kernel's and the helpers' events of one host. */
export class HelperJoin {
  readonly #queue: Held[] = [];
  /** Helpers' commands told before the kernel's. */
  #told: PrEvent[] = [];
  /** Kernel's commands told before the helper's. */
  #toldByKernel: PrEvent[] = [];

  constructor(
    private readonly clock: PollClock,
    /** Whether a process is a helper that writes events. */
    private readonly isHelper: (pid: number) => boolean,
  ) {}

  /** A command the kernel saw; `tell` is called in order, now or later, unless a helper tells the same command. */
  kernel(event: PrEvent, tell: () => void): void {
    if (takeOut(this.#told, (helper) => isTwin(event, helper))) return;
    const waiting = event.pid !== undefined && this.isHelper(event.pid);
    const held: Held = { event, tell, cancel: () => {}, waiting };
    if (waiting) {
      held.cancel = this.clock.after(HOLD_MS, () => {
        held.waiting = false;
        this.#release();
      });
    }
    this.#queue.push(held);
    this.#release();
  }

  /** A command a helper tells; `tell` is called now, in the place of the kernel's twin, or not at all. */
  helper(event: PrEvent, tell: () => void): void {
    const at = this.#queue.findIndex((held) => isTwin(held.event, event));
    if (at >= 0) {
      const twin = this.#queue[at]!;
      twin.tell = tell;
      for (const held of this.#queue.slice(0, at + 1)) this.#letGo(held);
      return this.#release();
    }
    if (takeOut(this.#toldByKernel, (kernel) => isTwin(kernel, event))) return;
    this.#told = remember(this.#told, event);
    tell();
  }

  /** Tells whatever is held. */
  flush(): void {
    for (const held of this.#queue) this.#letGo(held);
    this.#release();
  }

  #letGo(held: Held): void {
    held.cancel();
    held.waiting = false;
  }

  #release(): void {
    while (this.#queue.length > 0 && !this.#queue[0]!.waiting) {
      const { event, tell } = this.#queue.shift()!;
      this.#toldByKernel = remember(this.#toldByKernel, event);
      tell();
    }
  }
}

function takeOut(list: PrEvent[], which: (event: PrEvent) => boolean): boolean {
  const at = list.findIndex(which);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}

function remember(list: readonly PrEvent[], event: PrEvent): PrEvent[] {
  const young = list.filter(({ endedUs }) => (event.endedUs ?? 0) - (endedUs ?? 0) < REMEMBER_US);
  return [...young.slice(-MOST_REMEMBERED), event];
}

/** The same command of the same path, its completion within the helper's. */
function isTwin(kernel: PrEvent, helper: PrEvent): boolean {
  if (kernel.serviceAction !== helper.serviceAction) return false;
  const place = kernel.hctl !== undefined && helper.hctl !== undefined
    ? kernel.hctl === helper.hctl
    : kernel.devno !== undefined && kernel.devno === helper.devno;
  if (!place || kernel.endedUs === undefined || helper.startedUs === undefined || helper.endedUs === undefined) {
    return false;
  }
  if (kernel.key !== null && helper.key !== null && kernel.key !== helper.key) return false;
  return kernel.endedUs >= helper.startedUs && kernel.endedUs <= helper.endedUs;
}
