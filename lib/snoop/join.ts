/**
 * One story out of two witnesses: a PR OUT that a helper sent is seen by the kernel, too, and told once, as the helper
 * tells it (exact keys, the guest's process), at the kernel's instant.
 *
 *     kernel's --> held while its twin may come (its process is a helper's) --> told, or its twin in its place
 *     helper's --> told behind what the kernel tells; its own twin is dropped
 *
 * Both clocks are CLOCK_MONOTONIC, and the kernel's completion lies between the helper's start and end. Bounded in
 * number and time.
 *
 * @module
 */
import type { PrEvent } from "./event.ts";
import type { Turn, Turns } from "./turns.ts";

/** How long the kernel's event waits for the helper's, and how long a told event is remembered. */
const HOLD_MS = 300, REMEMBER_US = 10_000_000;
const MOST_REMEMBERED = 1024;

/** Tells an event, in its turn. */
export type Tell = (event: PrEvent) => void;

interface Witnessed {
  readonly event: PrEvent;
  readonly tell: Tell;
  turn?: Turn;
}

/** Joins the kernel's and the helpers' events of one host. */
export class HelperJoin {
  /** Kernel's commands that wait for their twins. */
  readonly #held = new Set<Witnessed>();
  /** Helpers' commands whose twins may come. */
  #told: Witnessed[] = [];
  /** Kernel's commands told before the helper's. */
  #toldByKernel: Witnessed[] = [];

  constructor(
    private readonly turns: Turns,
    /** Whether a process is a helper that writes events. */
    private readonly isHelper: (pid: number) => boolean,
  ) {}

  /** A command the kernel saw at `atUs`; told in order, now or later, unless a helper tells the same command. */
  kernel(event: PrEvent, atUs: number, tell: Tell): void {
    const twin = takeOut(this.#told, (helper) => isTwin(event, helper));
    if (twin) return twin.turn && this.turns.place(twin.turn, atUs, () => twin.tell(joined(event, twin.event)));
    const waits = event.pid !== undefined && this.isHelper(event.pid);
    const held: Witnessed = { event, tell };
    if (waits) this.#held.add(held);
    held.turn = this.turns.kernel(atUs, () => {
      this.#held.delete(held);
      this.#toldByKernel = remember(this.#toldByKernel, held);
      tell(event);
    }, waits ? HOLD_MS : 0);
  }

  /** A command a helper tells; told in the place of the kernel's twin, or by itself, or not at all. */
  helper(event: PrEvent, atUs: number, tell: Tell): void {
    for (const held of this.#held) {
      const { event: kernel, turn } = held;
      if (!turn || !isTwin(kernel, event)) continue;
      this.#held.delete(held);
      turn.tell = () => tell(joined(kernel, event));
      return this.turns.release(turn);
    }
    if (takeOut(this.#toldByKernel, (kernel) => isTwin(kernel, event))) return;
    const held: Witnessed = { event, tell };
    this.#told = remember(this.#told, held);
    held.turn = this.turns.behindKernel(atUs, () => tell(event));
  }
}

/** The helper's story at the kernel's instant. */
function joined({ time, endedUs }: PrEvent, helper: PrEvent): PrEvent {
  return { ...helper, time, ...(endedUs === undefined ? {} : { endedUs }) };
}

function takeOut(list: Witnessed[], which: (event: PrEvent) => boolean): Witnessed | null {
  const at = list.findIndex(({ event }) => which(event));
  return at < 0 ? null : list.splice(at, 1)[0]!;
}

function remember(list: readonly Witnessed[], held: Witnessed): Witnessed[] {
  const nowUs = held.event.endedUs ?? 0;
  const young = list.filter(({ event }) => nowUs - (event.endedUs ?? 0) < REMEMBER_US);
  return [...young.slice(-MOST_REMEMBERED), held];
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
