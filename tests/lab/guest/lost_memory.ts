/**
 * Tells a guest whose memory QEMU has lost on the way from one that waits for its disk.
 *
 * QEMU before 9.0 has a defect under TCG (mended by its commit 03bfc2188f06, "physmem: Fix migration dirty bitmap coherency with
 * TCG memory access"): what the guest writes to a page after QEMU's last look at the dirty ones may not be sent. The guest
 * goes on with a page that is older than its others. Met here about once in thirty moves of a guest that does nothing but
 * write, with prmig and without (docs/migrate.md): its driver is told of a request that it has not yet made, by that page,
 * and uses the disk no more. Nobody can bring such a guest back.
 *
 * @module
 */
import type { Guest } from "./guest.ts";

/** The guest stands because QEMU has lost some of its memory. */
export class MemoryLost extends Error {
  override name = "MemoryLost";
}

/** Path of the disks' controller, and the first queue of its requests: 0 and 1 are for control and for events. */
const REQUESTS = { path: "/machine/peripheral/hba/virtio-backend", queue: 2 };
const WORDS_MS = 10_000;

interface QueueStatus {
  readonly "last-avail-idx": number;
  readonly "used-idx": number;
  readonly inuse: number;
}

/**
 * For a guest that says nothing: rejects with MemoryLost when it runs and has the answer to everything that it asked of its
 * disks. Whoever is still waiting for an answer is another matter.
 */
export async function refuseLostMemory(guest: Guest): Promise<void> {
  const { running } = await guest.qmp.execute("query-status") as { running: boolean };
  const queue = await guest.qmp.execute("x-query-virtio-queue-status", REQUESTS) as QueueStatus;
  if (!running || queue.inuse !== 0 || queue["last-avail-idx"] !== queue["used-idx"]) return;
  const words = await kernelWords(guest);
  throw new MemoryLost(
    `the guest runs, all ${queue["used-idx"]} requests to its disks were answered, and it does not go on: ` +
      `QEMU has lost memory of it on the way; its kernel says: ${words}`,
  );
}

/** "virtio_scsi virtio0: request:id 0 is not a head!", where it can still say so. */
async function kernelWords({ console }: Guest): Promise<string> {
  try {
    const { output } = await console.run("dmesg | grep 'is not a head\\|out of range'", WORDS_MS);
    return output.trim() || "nothing of the kind";
  } catch (error) {
    return `no answer (${error instanceof Error ? error.message.split("\n")[0] : error})`;
  }
}
