/**
 * A guest on its way: how far it has got, and the single steps. Which steps in which order is the gates' business
 * (through_gate.ts), and what to do when one fails is undo.ts's.
 *
 * @module
 */
import { QmpError } from "../../qmp/error.ts";
import { TurnBack } from "../reasons.ts";
import { unknownGuest } from "./failure.ts";
import type { LunMove } from "./lun_move.ts";
import { FAILED, MigrationWatch } from "./migration_watch.ts";
import type { GuestPlan, GuestWorld } from "./world.ts";

const LOOK_MS = { first: 5, longest: 250 };

/** One guest's migration. All steps reject with TurnBack, QmpError or PrmigError. */
export class Crossing {
  /** `migrate` was told to the source. */
  begun = false;
  /** Commit and take were begun. */
  attempted = false;
  /** The LUNs are the destination's. */
  taken = false;
  /** The guest runs at the destination, or may: nothing can be undone any more. */
  gone = false;
  /** The source QEMU died in the middle of the switch: the guest arrived, or is lost. */
  sourceGone = false;
  /** How long the guest waited for prmig. */
  heldMs = 0;
  #heldSince: number | null = null;
  #watch: MigrationWatch;

  constructor(readonly world: GuestWorld, readonly plan: GuestPlan, readonly luns: LunMove) {
    this.#watch = this.#newWatch();
  }

  /** The migration as last seen. */
  get watch(): MigrationWatch {
    return this.#watch;
  }

  /** Watches over a new connection, after the old one was lost. */
  async watchAnew(): Promise<MigrationWatch> {
    await this.world.source.revived();
    this.#watch.end();
    return this.#watch = this.#newWatch();
  }

  #newWatch(): MigrationWatch {
    return new MigrationWatch(this.world.source.qemu, this.world.clock, (info) => this.world.onProgress(info));
  }

  /** Starts the migration and waits for one of these states. */
  async migrateTo(wanted: readonly string[]): Promise<string> {
    const { source, signal } = this.world;
    if (signal.aborted) throw new TurnBack("interrupted", "interrupted");
    this.world.report({ phase: "migrate", text: `sending the guest's memory to ${this.plan.uri}` });
    this.begun = true;
    try {
      await source.qemu.migrate(this.plan.uri);
    } catch (error) {
      if (error instanceof QmpError && error.failure === "refused") this.begun = false;
      throw error;
    }
    let reason: TurnBack | null = null;
    const { trouble, forget } = this.#troubles();
    try {
      const wake = trouble.then((found) => reason = found);
      const status = await this.#watch.reach([...wanted, ...FAILED], { wake });
      if (wanted.includes(status)) return status;
      if (FAILED.includes(status)) throw this.givenUp();
      throw reason ?? new TurnBack("failed", `the migration stopped as ${status}`);
    } finally {
      forget();
    }
  }

  /** Whatever calls a migration off while it is under way, from four directions. */
  #troubles(): { trouble: Promise<TurnBack>; forget: () => void } {
    const { signal, destination } = this.world;
    const { promise: trouble, resolve } = Promise.withResolvers<TurnBack>();
    let listening = true;
    this.luns.trouble.then((words) => resolve(new TurnBack("link", words)));
    const stop = (): void => resolve(new TurnBack("interrupted", "interrupted"));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // Its monitor is needed at the gate; a connection that was lost for no reason is made anew.
    const watchDestination = async (): Promise<void> => {
      while (destination) {
        await destination.qemu.client.ended;
        if (!listening) return;
        await destination.revived();
      }
    };
    watchDestination().catch((error) =>
      resolve(new TurnBack("failed", `the destination QEMU is gone: ${error instanceof Error ? error.message : error}`))
    );
    const forget = (): void => {
      listening = false;
      signal.removeEventListener("abort", stop);
    };
    return { trouble, forget };
  }

  /** QEMU gave up, in its words. */
  givenUp(): TurnBack {
    const { status, errorText } = this.#watch;
    const words = status === "cancelled" ? "somebody cancelled the migration" : "QEMU gave the migration up";
    return new TurnBack("failed", errorText === null ? words : `${words}: ${errorText}`);
  }

  /** From now on the guest waits for prmig. */
  hold(): void {
    this.#heldSince = this.world.clock.now();
  }

  /** It does not any more. */
  letGo(): void {
    if (this.#heldSince !== null) this.heldMs = this.world.clock.now() - this.#heldSince;
    this.#heldSince = null;
  }

  /** The guest stands still until prmig says a word: nothing can happen meanwhile. */
  get holding(): boolean {
    return this.#heldSince !== null;
  }

  /** The last look before anything that cannot simply be called off. */
  async lookAgain(): Promise<void> {
    const late = await this.plan.recheck();
    if (late !== null) throw new TurnBack("refused", late);
  }

  /** Commit, take, verify. */
  async take(): Promise<void> {
    this.attempted = true;
    await this.luns.take();
    this.taken = true;
  }

  /** `migrate-continue`, and the wait for what comes of it: a QEMU that hangs here answers nobody. */
  async continueMigration(): Promise<void> {
    try {
      this.letGo();
      await this.world.source.qemu.migrateContinue();
    } catch (error) {
      if (!(error instanceof QmpError && error.facts.mayBeDone)) throw error;
    }
    const status = await this.#outcome();
    if (status === "completed") return;
    if (status === "gone") {
      this.sourceGone = true;
      return;
    }
    if (status !== null && FAILED.includes(status)) throw this.givenUp();
    this.gone = true;
    const { timeoutMs } = this.plan;
    throw unknownGuest(
      `Cannot tell where the guest is: in the middle of the switch the source QEMU has not answered for ${
        timeoutMs / 1000
      } s`,
      this.taken ? "the destination holds" : "the source holds, the destination is registered",
      "look at the destination; if the guest does not run there, end its QEMU; then prmig recover here",
    );
  }

  /** How the switch ended; `gone` when nobody listens at the source any more, `null` when it does not say in time. */
  async #outcome(): Promise<string | null> {
    const { timeoutMs } = this.plan;
    const deadline = this.world.clock.now() + timeoutMs;
    for (;;) {
      try {
        return await this.#watch.reach(["completed", ...FAILED], { timeoutMs: deadline - this.world.clock.now() });
      } catch (error) {
        if (!(error instanceof QmpError)) throw error;
      }
      try {
        await this.watchAnew();
      } catch (error) {
        if (!(error instanceof QmpError)) throw error;
        return error.failure === "closed" ? "gone" : null;
      }
    }
  }

  /** Waits until the destination has loaded the guest; gives its state. */
  async destinationLoaded(): Promise<string> {
    const { destination, clock } = this.world;
    const deadline = clock.now() + this.plan.timeoutMs;
    for (let pause = LOOK_MS.first;; pause = Math.min(2 * pause, LOOK_MS.longest)) {
      const { status } = await destination!.ask((qemu) => qemu.status());
      if (status !== "inmigrate") return status;
      if (clock.now() >= deadline) throw new TurnBack("timeout", "the destination QEMU has not loaded the guest");
      await clock.sleep(pause);
    }
  }

  /** `cont` at the destination, where the guest does not run yet and is to. */
  async runDestination(status: string): Promise<void> {
    if (status === "running") this.gone = true;
    if (status === "running" || !this.plan.wasRunning) return;
    const destination = this.world.destination!;
    try {
      this.letGo();
      await destination.ask((qemu) => qemu.cont());
    } catch (error) {
      if (!(error instanceof QmpError && error.facts.mayBeDone)) throw error;
      await this.#seeWhetherItRuns(error);
    }
    this.gone = true;
  }

  /** The answer to `cont` was lost. */
  async #seeWhetherItRuns(cause: QmpError): Promise<void> {
    try {
      const { running } = await this.world.destination!.ask((qemu) => qemu.status());
      if (running) return;
    } catch (error) {
      if (!(error instanceof QmpError)) throw error;
      this.gone = true;
      throw unknownGuest(
        `Cannot tell whether the guest runs on the destination: ${cause.message}`,
        "the destination holds",
        "look at the destination; if the guest never ran there: prmig rollback, then cont on the source",
        cause,
      );
    }
    throw cause;
  }
}
