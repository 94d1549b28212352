/**
 * A disk that takes its time: the kernel's scsi_debug, each command held back for a while. It knows no persistent
 * reservations; it is here for time limits, signals and devices that go away.
 *
 * @module
 */
import { must } from "./run.ts";

export interface SlowDisk {
  /** For example /dev/sdg. */
  readonly sd: string;
  /** For example /dev/sg6. */
  readonly sg: string;
  readonly hctl: string;
  /** Commands the kernel has sent to it so far. */
  sentCommands(): number;
  /** Takes it away, as if its cable were pulled. */
  unplug(): void;
}

const HZ = 250; // of Debian's kernels
const DRIVER = "/sys/bus/pseudo/drivers/scsi_debug";

/** Runs `body` with a disk that answers every TEST UNIT READY, READ and WRITE after `delayMs`. */
export async function withSlowDisk(delayMs: number, body: (disk: SlowDisk) => Promise<void>): Promise<void> {
  await must(["modprobe", "scsi_debug", "dev_size_mb=8", "delay=0"]);
  try {
    const disk = await find();
    setDelay(Math.round(delayMs * HZ / 1000));
    await body(disk);
  } finally {
    await settle();
    await must(["modprobe", "-r", "scsi_debug"]);
  }
}

async function find(): Promise<SlowDisk> {
  const devices = "/sys/class/scsi_device";
  for (let tries = 0; tries < 200; tries++) {
    for (const { name: hctl } of Deno.readDirSync(devices)) {
      const device = `${devices}/${hctl}/device`;
      if (Deno.readTextFileSync(`${device}/model`).trim() !== "scsi_debug") continue;
      const [sd, sg] = [nameIn(`${device}/block`), nameIn(`${device}/scsi_generic`)];
      if (sd === undefined || sg === undefined) continue;
      return {
        ...{ sd: `/dev/${sd}`, sg: `/dev/${sg}`, hctl },
        sentCommands: () => Number(Deno.readTextFileSync(`${device}/iorequest_cnt`)),
        unplug: () => Deno.writeTextFileSync(`${device}/delete`, "1"),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("scsi_debug made no disk within 2 s");
}

function nameIn(directory: string): string | undefined {
  try {
    return [...Deno.readDirSync(directory)][0]?.name;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function setDelay(jiffies: number): void {
  Deno.writeTextFileSync(`${DRIVER}/delay`, String(jiffies));
}

/** The driver refuses another delay as long as a command is under way. */
async function settle(): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return setDelay(0);
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
