/**
 * What moving a guest needs from the world, and what it is told to do.
 *
 * @module
 */
import type { MigrationInfo } from "../../qmp/qemu.ts";
import type { Clock, Progress } from "../ports.ts";
import type { HandedOver } from "../start.ts";
import type { VmGate } from "./gates.ts";
import type { Monitor } from "./monitor.ts";

/** The world as a guest's migration sees it. */
export interface GuestWorld {
  readonly source: Monitor;
  /** `null` where nobody can reach it. */
  readonly destination: Monitor | null;
  readonly clock: Clock;
  report(progress: Progress): void;
  /** Told from time to time how far QEMU is. */
  onProgress(info: MigrationInfo): void;
  /** Aborted when a person or a service manager asks to stop. */
  readonly signal: AbortSignal;
}

/** What is to be done. */
export interface GuestPlan {
  readonly gate: VmGate;
  /** Where the source sends the guest, in the words of QMP's `migrate`. */
  readonly uri: string;
  /** The guest ran when this began; one that stood still will do so at the end. */
  readonly wasRunning: boolean;
  /** Bounds every wait but that for the guest's memory. */
  readonly timeoutMs: number;
  /** Has the destination QEMU listen, and stand still where the gate wants it to. Called once the LUNs are prepared. */
  readonly makeReady: () => Promise<void>;
  /** A LUN that was left out because nobody of this host was registered, and now is: what to tell; otherwise `null`. */
  readonly recheck: () => Promise<string | null>;
}

/** How a guest moved. */
export interface GuestMoved {
  readonly gate: VmGate;
  /** The LUNs; `null` where there was nothing to move. */
  readonly handedOver: HandedOver | null;
  /** From the moment the guest stood still for prmig to the command that let it go on; 0 where it never had to wait. */
  readonly heldMs: number;
  /** What QEMU says the guest stood still in all, where it says so. */
  readonly downtimeMs: number | null;
  /** Where the guest is: "runs on the destination". */
  readonly guest: string;
}
