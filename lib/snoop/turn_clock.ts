/**
 * The time, read once a turn of the server's loop, however many commands ask for it.
 *
 * A command asks some ten times: when it came and when it went, how old what is known of its LUN is, how long it may wait,
 * when its event happened. Each answer costs 0.1 µs where the kernel shares its clock with programs, and a system call where
 * it does not (user-mode Linux: 40 µs each, as much as a command's other system calls together). So while the loop goes
 * round the clock stands still between two {@link advance}s, which is as long as a batch of commands takes.
 *
 * What an instant is used for allows that: a command's answer is there before the look of the turn that collects it, and a
 * command leaves after the look of the turn it begins in.
 *
 * @module
 */
import { monotonicUs, wallUs } from "../sys/clock.ts";

/** Instants, as whoever handles commands needs them. */
export interface Clock {
  /** Microseconds of CLOCK_MONOTONIC. */
  nowUs(): number;
  /** The wall clock, ISO 8601. */
  time(): string;
}

const WALL_LOOK_US = 1_000_000;

/** A clock; unless somebody advances it, one that is read each time. */
export class TurnClock implements Clock {
  #stands = false;
  #us: number | null = null;
  #time: string | null = null;
  /** The wall clock less CLOCK_MONOTONIC, and when that was looked at. */
  #aheadUs = 0;
  #lookedUs = -Infinity;

  /** Microseconds of CLOCK_MONOTONIC, and since 1970. */
  constructor(private readonly read: () => number = monotonicUs, private readonly wall: () => number = wallUs) {}

  nowUs(): number {
    return this.#stands ? this.#us ??= this.read() : this.read();
  }

  time(): string {
    return this.#stands ? this.#time ??= this.#iso() : this.#iso();
  }

  /** Both clocks run at one rate until somebody sets the wall clock, so one look a second at it is enough. */
  #iso(): string {
    const nowUs = this.nowUs();
    if (nowUs - this.#lookedUs >= WALL_LOOK_US) {
      this.#aheadUs = this.wall() - this.read();
      this.#lookedUs = nowUs;
    }
    return new Date((nowUs + this.#aheadUs) / 1000).toISOString();
  }

  /** A new instant, that of the first look at it, and the only one until the next call. */
  advance(): void {
    this.#stands = true;
    this.#us = this.#time = null;
  }

  /** The loop pauses: from here on the clock goes by itself. */
  release(): void {
    this.#stands = false;
  }
}
