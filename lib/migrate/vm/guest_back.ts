/**
 * The guest back on the source: running, where it ran before.
 *
 * @module
 */
import { QmpError } from "../../qmp/error.ts";
import type { Qemu } from "../../qmp/qemu.ts";
import type { Clock } from "../ports.ts";
import type { Monitor } from "./monitor.ts";

/** Where the guest is, for people and for the exit code. */
export interface GuestState {
  /** It is as it was before: running, or standing still as somebody had wanted it. */
  readonly asBefore: boolean;
  /** "runs on the source" */
  readonly words: string;
  /** What a person has to do about it, where it is not as before. */
  readonly remedy?: string;
}

const LOOK_MS = 20;
/** States from which `cont` brings the guest back: a migration that ended well, one that did not, a pause. */
const CONTINUABLE: readonly string[] = ["postmigrate", "paused", "prelaunch", "suspended", "save-vm", "restore-vm"];

/** Resumes the guest unless it stood still before. Never rejects: what cannot be done is told. */
export async function bringGuestBack(
  monitor: Monitor,
  wasRunning: boolean,
  clock: Clock,
  timeoutMs: number,
): Promise<GuestState> {
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    try {
      const qemu = await monitor.revived();
      const { status, running } = await qemu.status();
      const state = judge(qemu, status, running, wasRunning);
      if (state) return state;
      const mayRun = CONTINUABLE.includes(status) || status === "io-error";
      // A first `cont` may meet a migration that is not finalized yet; the state tells whether it took effect.
      if (mayRun) await tell(qemu);
      if (clock.now() >= deadline) {
        return lost(`stands still on the source (${status})`, "look at the source's QMP: query-status, then cont");
      }
    } catch (error) {
      if (!(error instanceof QmpError)) throw error;
      if (error.failure !== "timeout" || clock.now() >= deadline) {
        return lost(
          `cannot be seen on the source: ${error.message}`,
          "look at the source QEMU; if it lives, prmig recover",
        );
      }
    }
    await clock.sleep(LOOK_MS);
  }
}

/** Looks where the guest is, and leaves it there. Never rejects. */
export async function leaveGuest(monitor: Monitor, wasRunning: boolean): Promise<GuestState> {
  try {
    const { status, running } = await (await monitor.revived()).status();
    if (running) return { asBefore: wasRunning, words: "runs on the source" };
    return { asBefore: !wasRunning, words: `is left standing still on the source (${status})` };
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    return lost(`cannot be seen on the source: ${error.message}`, "look at the source QEMU");
  }
}

function judge(qemu: Qemu, status: string, running: boolean, wasRunning: boolean): GuestState | null {
  if (running) return { asBefore: true, words: "runs on the source" };
  if (!wasRunning && status !== "finish-migrate") {
    return { asBefore: true, words: `stands still on the source, as before (${status})` };
  }
  if (status === "io-error" && !qemu.atLeast(9, 1)) {
    // Continuing a scsi-block write that was stopped by a conflict ends these QEMUs with an assertion.
    return lost(
      "stands still on the source after an I/O error",
      `its LUN is back, but a QEMU before 9.1 may abort when it repeats a write that met a conflict: ` +
        `save what you need, then cont by QMP (${qemu.address})`,
    );
  }
  if (["guest-panicked", "internal-error", "shutdown", "watchdog"].includes(status)) {
    return lost(`has ended on the source (${status})`, "restart it");
  }
  return null;
}

async function tell(qemu: Qemu): Promise<void> {
  try {
    await qemu.cont();
  } catch (error) {
    if (!(error instanceof QmpError && error.failure === "refused")) throw error;
  }
}

function lost(words: string, remedy: string): GuestState {
  return { asBefore: false, words, remedy };
}
