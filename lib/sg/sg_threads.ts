/**
 * SCSI commands on threads of their own: for a server that has many under way (lib/sys/ioctl_threads.ts).
 *
 * @module
 */
import type { Reply } from "../pr/nexus.ts";
import { SysError } from "../sys/errno.ts";
import { IoctlThreads } from "../sys/ioctl_threads.ts";
import { SPILL_ROOM, withSpillRoom } from "./sg_io.ts";
import { BLOCK_OVERHEAD, SG_IO, SgBlock } from "./sg_io_hdr.ts";

/** One command under way. */
interface Call {
  readonly fd: number;
  /** Bytes of data-in that were asked for. */
  readonly most: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: SysError) => void;
}

/** Room for so many commands at a time; more wait for their turn, first come, first served. */
export class SgThreads {
  readonly #threads: IoctlThreads;
  readonly #blocks: readonly SgBlock[];
  readonly #free: number[];
  readonly #calls: (Call | null)[];
  readonly #waiting: (() => void)[] = [];

  /** `maxData`: the most that a command may transfer. */
  constructor(readonly commands: number, readonly maxData: number) {
    const room = BLOCK_OVERHEAD + maxData + SPILL_ROOM;
    const threads = this.#threads = new IoctlThreads(commands, room);
    const numbers = Array.from({ length: commands }, (_, i) => i);
    this.#blocks = numbers.map((i) => {
      const bytes = threads.arena.subarray(i * threads.stride, i * threads.stride + room);
      return new SgBlock(bytes, threads.addressOf(i));
    });
    this.#free = numbers.reverse();
    this.#calls = numbers.map(() => null);
  }

  /** To be watched for reading; then call {@link collect}. */
  get fd(): number {
    return this.#threads.fd;
  }

  /** Commands that are with the device, or about to be. */
  get underWay(): number {
    return this.#threads.underWay;
  }

  /** Executes a CDB on an open descriptor, as sgIo does. */
  readonly io = (fd: number, cdb: Uint8Array, data: Uint8Array | number, timeoutMs: number): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const start = (): void => {
        const block = this.#free.pop()!;
        try {
          this.#blocks[block]!.encode({ cdb, data: withSpillRoom(cdb, data), timeoutMs });
          this.#threads.submit(block, fd, SG_IO);
          this.#calls[block] = { fd, most: typeof data === "number" ? data : 0, resolve, reject };
        } catch (error) {
          this.#release(block);
          reject(error);
        }
      };
      if (this.#free.length > 0) start();
      else this.#waiting.push(start);
    });

  /** Settles what has come back. */
  collect(): void {
    this.#threads.collect((block, result) => {
      const { fd, most, resolve, reject } = this.#calls[block]!;
      const reply = result < 0 ? null : this.#blocks[block]!.decode(most);
      this.#release(block);
      if (reply) resolve(reply);
      else reject(new SysError("SG_IO", `descriptor ${fd}`, result));
    });
  }

  /** Ends the threads; commands under way are never heard of again. */
  close(): void {
    this.#threads.close();
  }

  #release(block: number): void {
    this.#calls[block] = null;
    this.#free.push(block);
    this.#waiting.shift()?.();
  }
}
