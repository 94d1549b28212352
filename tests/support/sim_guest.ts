/**
 * A guest that counts: as long as it runs it writes the next number to its LUN, and keeps what became of each write.
 *
 * @module
 */
import type { Clock } from "../../lib/migrate/ports.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";

/** One write of the guest. */
export interface GuestWrite {
  readonly counter: number;
  /** Name of the QEMU it ran in. */
  readonly at: string;
  readonly ok: boolean;
}

const WRITE_10 = new Uint8Array([0x2a, 0, 0, 0, 0, 8, 0, 0, 1, 0]);
const CHECK_CONDITION = 2;
const RESERVATION_CONFLICT = 0x18;

/** The guest's memory: it moves as a whole. */
export class SimGuest {
  counter = 0;
  /** Every write, wherever it ran; shared between the copies of one guest. */
  readonly writes: GuestWrite[];

  constructor(writes: GuestWrite[] = []) {
    this.writes = writes;
  }

  /** The guest as a migration carries it over. */
  copy(): SimGuest {
    const copy = new SimGuest(this.writes);
    copy.counter = this.counter;
    return copy;
  }

  /** Writes once; a unit attention is met and written again, as every guest does. False on a conflict. */
  async write(nexus: Nexus, at: string): Promise<boolean> {
    this.counter++;
    let { status } = await nexus.execute(WRITE_10, new Uint8Array(512));
    while (status === CHECK_CONDITION) ({ status } = await nexus.execute(WRITE_10, new Uint8Array(512)));
    const ok = status !== RESERVATION_CONFLICT;
    this.writes.push({ counter: this.counter, at, ok });
    return ok;
  }

  /** Runs while `running` says so. */
  async run(nexus: Nexus, at: string, running: () => boolean, clock: Clock, onConflict: () => void): Promise<void> {
    while (running()) {
      if (!await this.write(nexus, at)) onConflict();
      await clock.sleep(TICK_MS);
    }
  }
}

const TICK_MS = 40;
