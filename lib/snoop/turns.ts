/**
 * What several witnesses saw, told in the order in which it happened.
 *
 *     kernel's events --> wait a moment: a line of another processor may be older and yet come later
 *     everything else --> waits until the kernel's events before it have come (a marker that came back, or a younger one)
 *
 * The order is that of CLOCK_MONOTONIC. Nothing waits longer than {@link SYNC_MS}, or what its maker asks for; what comes
 * later than that is told when it comes. Bounded in number and time.
 *
 * @module
 */
import type { PollClock } from "./poll.ts";

/**
 * How long after its stamp an event of the kernel may be overtaken by an older one. A line gets its stamp before it can
 * be read; between the two lie microseconds, more where the machine is itself a guest and its processors are held up.
 */
const SETTLE_US = 2000;
/** How long something waits for the kernel's events before it. */
const SYNC_MS = 250;
/** Beyond so many the oldest are told without waiting. */
const MOST_WAITING = 8192;

/** Something that waits to be told. */
export interface Turn {
  readonly atUs: number;
  tell: () => void;
  /** When it may be told, at the latest. */
  readyUs: number;
  /** Comes back when the kernel's events before it have come. */
  readonly marker: string | null;
}

/** Brings tellings into the order of their instants. */
export class Turns {
  /** In order. */
  readonly #waiting: Turn[] = [];
  readonly #marked = new Map<string, Turn>();
  #count = 0;
  #cancel: () => void = () => {};

  constructor(
    private readonly clock: PollClock,
    /** Puts a marker among the kernel's events, which comes back to {@link marker}; `false`: it cannot be had. */
    private readonly mark: ((text: string) => boolean) | null,
  ) {}

  /** What the kernel told of an instant. `patienceMs`: it may be kept back that long; {@link release} ends that. */
  kernel(atUs: number, tell: () => void, patienceMs = 0): Turn {
    for (const turn of this.#marked.values()) if (turn.atUs < atUs) settle(turn);
    const readyUs = patienceMs === 0 ? atUs + SETTLE_US : this.clock.nowUs() + patienceMs * 1000;
    return this.#add({ atUs, tell, readyUs, marker: null });
  }

  /** What others saw at an instant: told behind what the kernel tells of earlier ones. */
  behindKernel(atUs: number, tell: () => void): Turn {
    if (this.mark === null) return this.inOrder(atUs, tell);
    const marker = `prmig sync ${this.#count++}`;
    const turn: Turn = { atUs, tell, readyUs: this.clock.nowUs() + SYNC_MS * 1000, marker };
    if (this.mark(marker)) this.#marked.set(marker, turn);
    else settle(turn);
    return this.#add(turn);
  }

  /** What waits for nothing but those before it. */
  inOrder(atUs: number, tell: () => void): Turn {
    return this.#add({ atUs, tell, readyUs: -Infinity, marker: null });
  }

  /** A marker came back. */
  marker(text: string): void {
    const turn = this.#marked.get(text);
    if (!turn) return;
    settle(turn);
    this.#go();
  }

  /** What it waited for has come. */
  release(turn: Turn): void {
    turn.readyUs = -Infinity;
    this.#go();
  }

  /** The kernel's own event of something that waits has come: that is its instant. Nothing if it was told already. */
  place(turn: Turn, atUs: number, tell: () => void): void {
    const at = this.#waiting.indexOf(turn);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    if (turn.marker !== null) this.#marked.delete(turn.marker);
    this.kernel(atUs, tell);
  }

  /** Tells whatever waits, in order. */
  flush(): void {
    for (const turn of this.#waiting) turn.readyUs = -Infinity;
    this.#go();
  }

  #add(turn: Turn): Turn {
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.atUs > turn.atUs) at--;
    this.#waiting.splice(at, 0, turn);
    if (this.#waiting.length > MOST_WAITING) this.#waiting[0]!.readyUs = -Infinity;
    this.#go();
    return turn;
  }

  #go(): void {
    for (;;) {
      this.#cancel();
      const [first] = this.#waiting;
      if (!first) return;
      const leftUs = first.readyUs - this.clock.nowUs();
      if (leftUs > 0) {
        this.#cancel = this.clock.after(Math.ceil(leftUs / 1000), () => this.#go());
        return;
      }
      this.#waiting.shift();
      if (first.marker !== null) this.#marked.delete(first.marker);
      first.tell();
    }
  }
}

function settle(turn: Turn): void {
  turn.readyUs = Math.min(turn.readyUs, turn.atUs + SETTLE_US);
}
