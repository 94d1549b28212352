/**
 * The way of a command to the kernel and back, without SCSI and without emulation: an ioctl that does nothing. What it costs
 * is what a command costs more than its LUN takes, and tells for which LUNs the targets of `sg-io` can be met.
 *
 * @module
 */
import { sgIo } from "../../lib/sg/sg_io.ts";
import { SG_IO } from "../../lib/sg/sg_io_hdr.ts";
import { SysError } from "../../lib/sys/errno.ts";
import { closeFd, O_RDONLY, openFd } from "../../lib/sys/fd.ts";
import type { Figure, Row } from "../figure.ts";
import { inTurn, rounds, timed } from "../measure.ts";

const DIRECT = "called directly", POOL = "the runtime's threads";
const COUNT = { full: 5000, small: 50 };
/** Of `dump`: LUNs at once, and commands one after the other for each. */
const LUNS = 256, EACH = 8;
const READ_KEYS = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 32, 0, 0);

const IOCTL = { name: "ioctl", parameters: ["i32", "usize", "buffer"], result: "i32" } as const;

/** The way of a command. */
export const sgIoMachine: Figure = {
  name: "sg-io-machine",
  where: "machine",
  measure: async (scale) => {
    const fd = await openFd("/dev/null", O_RDONLY);
    const libc = Deno.dlopen("libc.so.6", { direct: IOCTL, pool: { ...IOCTL, nonblocking: true } });
    try {
      const count = scale.small ? COUNT.small : COUNT.full;
      const block = new Uint8Array(512);
      const command = (): Promise<unknown> => sgIo(fd, READ_KEYS, 8192, 1000).catch(asRefused);
      const pool = (): Promise<unknown> => libc.symbols.pool(fd, BigInt(SG_IO), block);
      const one = await inTurn(rounds(scale, 9), {
        prmig: () => microseconds(count, () => repeat(count, command)),
        [POOL]: () => microseconds(count, () => repeat(count, pool)),
        [DIRECT]: () =>
          microseconds(count, () => {
            for (let i = 0; i < count; i++) libc.symbols.direct(fd, BigInt(SG_IO), block);
          }),
      });
      const many = await inTurn(rounds(scale, 9), {
        prmig: () => microseconds(LUNS * EACH, () => manyLuns(command)),
        [POOL]: () => microseconds(LUNS * EACH, () => manyLuns(pool)),
      });
      return {
        rows: [
          row("one at a time", one.prmig!, { [POOL]: one[POOL]!, [DIRECT]: one[DIRECT]! }),
          row(`${LUNS} LUNs at a time`, many.prmig!, { [POOL]: many[POOL]! }),
        ],
      };
    } finally {
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
    note: "prmig's way has the command laid out and its reply decoded in it, those beside it have the bare call.",
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

/** /dev/null knows no SG_IO: that is the answer. */
function asRefused(error: unknown): void {
  if (!(error instanceof SysError)) throw error;
}
