/**
 * SCSI commands on threads of their own, apart from those of the process: for a server that waits for them together with
 * other things (lib/sys/call_threads.ts).
 *
 * @module
 */
import { CallThreads } from "../sys/call_threads.ts";
import { type SgIo, sgIoOn, SPILL_ROOM } from "./sg_io.ts";
import { BLOCK_OVERHEAD } from "./sg_io_hdr.ts";

/** Room for so many commands at a time; more wait for their turn, first come, first served. */
export class SgThreads {
  readonly #threads: CallThreads;
  /** Executes a CDB on an open descriptor, as sgIo does. */
  readonly io: SgIo;

  /** `maxData`: the most that a command transfers without memory of its own. */
  constructor(readonly commands: number, readonly maxData: number) {
    this.#threads = new CallThreads(commands, BLOCK_OVERHEAD + maxData + SPILL_ROOM);
    this.io = sgIoOn(this.#threads);
  }

  /** To be watched for reading; then call {@link collect}. */
  get fd(): number {
    return this.#threads.fd;
  }

  /** Commands that are with the device, or about to be. */
  get underWay(): number {
    return this.#threads.underWay;
  }

  /** Settles what has come back. */
  collect(): void {
    this.#threads.collect();
  }

  /** Ends the threads; commands under way are never heard of again. */
  close(): void {
    this.#threads.close();
  }
}
