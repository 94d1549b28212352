/**
 * A gate that so many may be behind at a time: first come, first served, and nobody waits longer than he is ready to.
 *
 * Pure but for the clock and promises. A virtual machine's stop waits for its commands, so a helper must rather answer BUSY
 * than hold one back: that is what a refusal of this gate becomes.
 *
 * @module
 */

/** Somebody in front of a gate, until it is `until`, in milliseconds. */
interface Waiting {
  readonly until: number;
  readonly answer: (inside: boolean) => void;
}

/** What gates of one helper share. */
export interface GateChoices {
  /** The time, on any clock that never goes back. */
  readonly nowMs: () => number;
  /** Counts all who wait in front of any of them. */
  readonly crowd: { waiting: number };
}

/** At most `size` behind it. One timer for all who wait: most of them are let in long before their patience is over. */
export class Gate {
  #free: number;
  readonly #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires. */
  #alarmAt = Infinity;

  constructor(
    readonly size: number,
    private readonly choices: GateChoices = { nowMs: () => performance.now(), crowd: { waiting: 0 } },
  ) {
    this.#free = size;
  }

  /** How many are behind it now. */
  get taken(): number {
    return this.size - this.#free;
  }

  /** Inside at once, and then {@link leave} must follow; `false` when all places are taken. */
  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Resolves with `true` once inside, and then {@link leave} must follow; with `false` when `patienceMs` are over. */
  enter(patienceMs: number): Promise<boolean> {
    if (this.tryEnter()) return Promise.resolve(true);
    return new Promise((answer) => {
      const until = this.choices.nowMs() + patienceMs;
      this.#waiting.push({ until, answer });
      this.choices.crowd.waiting++;
      if (until < this.#alarmAt) this.#setAlarm(until);
    });
  }

  /** Lets the next one in. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) this.#answer(next, true);
    else this.#free++;
    if (this.#waiting.length === 0 && this.#timer !== undefined) this.#setAlarm(Infinity);
  }

  #answer({ answer }: Waiting, inside: boolean): void {
    this.choices.crowd.waiting--;
    answer(inside);
  }

  #setAlarm(at: number): void {
    clearTimeout(this.#timer);
    this.#alarmAt = at;
    this.#timer = at === Infinity
      ? undefined
      : setTimeout(() => this.#expire(), Math.max(0, at - this.choices.nowMs()));
  }

  #expire(): void {
    const now = this.choices.nowMs();
    for (let i = 0; i < this.#waiting.length;) {
      const waiting = this.#waiting[i]!;
      if (waiting.until > now) i++;
      else {
        this.#waiting.splice(i, 1);
        this.#answer(waiting, false);
      }
    }
    this.#setAlarm(Math.min(...this.#waiting.map(({ until }) => until)));
  }
}
