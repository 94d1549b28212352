/**
 * The way of a command to the kernel and back, without SCSI and without emulation: an ioctl that does nothing. What it costs
 * is what a command costs more than its LUN takes, and tells for which LUNs the targets of `sg-io` can be met.
 *
 * @module
 */
import { SgThreads } from "../../lib/sg/sg_threads.ts";
import { SG_IO } from "../../lib/sg/sg_io_hdr.ts";
import { SysError } from "../../lib/sys/errno.ts";
import { Epoll } from "../../lib/sys/epoll.ts";
import { closeFd, ioctl, O_RDONLY, openFd } from "../../lib/sys/fd.ts";
import type { Figure, Row } from "../figure.ts";
import { inTurn, rounds, timed } from "../measure.ts";

const DIRECT = "called directly", THREADS = "the helper's threads";
const COUNT = { full: 5000, small: 50 };
/** Of `dump`: LUNs at once, and commands one after the other for each. */
const LUNS = 256, EACH = 8;
const READ_KEYS = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 32, 0, 0);

/** The way of a command. */
export const sgIoMachine: Figure = {
  name: "sg-io-machine",
  where: "machine",
  measure: async (scale) => {
    const fd = await openFd("/dev/null", O_RDONLY);
    const libc = Deno.dlopen("libc.so.6", { ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" } });
    const threads = new SgThreads(64, 8192);
    const epoll = new Epoll();
    try {
      epoll.add(threads.fd);
      const count = scale.small ? COUNT.small : COUNT.full;
      const block = new Uint8Array(512);
      const one = await inTurn(rounds(scale, 9), {
        prmig: async () => await microseconds(count, async () => await repeat(count, () => ioctl(fd, SG_IO, block))),
        [DIRECT]: async () =>
          await microseconds(count, () => {
            for (let i = 0; i < count; i++) libc.symbols.ioctl(fd, BigInt(SG_IO), block);
          }),
      });
      const command = (): Promise<unknown> => threads.io(fd, READ_KEYS, 8192, 1000).catch(asRefused);
      const many = await inTurn(rounds(scale, 9), {
        prmig: async () => await microseconds(LUNS * EACH, async () => await manyLuns(() => ioctl(fd, SG_IO, block))),
        [THREADS]: async () =>
          await microseconds(LUNS * EACH, async () => await collecting(manyLuns(command), threads, epoll)),
      });
      return {
        rows: [
          row("one at a time", one.prmig!, { [DIRECT]: one[DIRECT]! }),
          row(`${LUNS} LUNs at a time`, many.prmig!, { [THREADS]: many[THREADS]! }),
        ],
      };
    } finally {
      epoll.close();
      threads.close();
      libc.close();
      closeFd(fd);
    }
  },
};

function row(when: string, prmig: Row["prmig"], peers: Row["peers"]): Row {
  return {
    figure: `a command's way to the kernel and back, ${when}, no SCSI, no emulation`,
    unit: "µs",
    prmig,
    peers,
    targets: [],
  };
}

async function microseconds(count: number, work: () => Promise<unknown> | void): Promise<number> {
  return await timed(work) * 1000 / count;
}

async function repeat(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work();
}

function manyLuns(command: () => Promise<unknown>): Promise<unknown> {
  return Promise.all(Array.from({ length: LUNS }, () => repeat(EACH, command)));
}

/** Waits for the answers on this thread, as the helper does. */
async function collecting(work: Promise<unknown>, threads: SgThreads, epoll: Epoll): Promise<void> {
  let over = false;
  const ended = work.finally(() => over = true);
  while (!over) {
    epoll.poll(1);
    threads.collect();
    await new Promise((resolve) => queueMicrotask(() => resolve(null)));
  }
  await ended;
}

/** /dev/null knows no SG_IO: that is the answer. */
function asRefused(error: unknown): void {
  if (!(error instanceof SysError)) throw error;
}
