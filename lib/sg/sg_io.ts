/**
 * One SCSI command through SG_IO, on a thread of its own, uninterruptible by signals (lib/sys/call_threads.ts).
 *
 * There is no synchronous form, and there must be none: a handled signal would make the kernel send the command twice.
 *
 * @module
 */
import type { Reply } from "../pr/nexus.ts";
import type { CallMemory } from "../sys/call_memory.ts";
import type { CallThreads } from "../sys/call_threads.ts";
import { sharedThreads } from "../sys/calls.ts";
import { SysError } from "../sys/errno.ts";
import { ioctl } from "../sys/fd.ts";
import { thisArch } from "../sys/thread_code.ts";
import { BLOCK_OVERHEAD, SG_GET_VERSION_NUM, SG_IO, SgBlock } from "./sg_io_hdr.ts";

const PERSISTENT_RESERVE_IN = 0x5e;
/**
 * Room behind the data-in of a PERSISTENT RESERVE IN. LIO (Linux 6.1) writes a READ FULL STATUS descriptor if its TransportID
 * alone still fits the allocation length: up to 32 bytes too many with short names, some 300 with the longest. On a local
 * target it writes straight into the memory of whoever asked, and a guest that asks for 24 bytes would spoil the heap.
 */
export const SPILL_ROOM = 1024;

/**
 * Executes a CDB on an open descriptor. `data`: the data-out, or the allocation length of the data-in. What a device sends
 * beyond the allocation length is left out.
 *
 * Resolves with the device's answer whatever its status. Rejects with {@link SysError} when the kernel refused the
 * call, and with whatever `before` throws; `before` runs when the command is about to leave, after the wait for its turn.
 */
export type SgIo = (
  fd: number,
  cdb: Uint8Array,
  data: Uint8Array | number,
  timeoutMs: number,
  before?: () => void,
) => Promise<Reply>;

/** {@link SgIo} on the threads of this process. */
export const sgIo: SgIo = (...command) => (shared ??= sgIoOn(sharedThreads()))(...command);

let shared: SgIo | undefined;

/** {@link SgIo} on some threads. */
export function sgIoOn(threads: CallThreads): SgIo {
  // A block of the arena is used again and again; what it takes to read and write it is made once.
  const blocks: SgBlock[] = [];
  const blockOf = (memory: CallMemory): SgBlock =>
    memory.number === null ? newBlock(memory) : blocks[memory.number] ??= newBlock(memory);
  const { ioctl } = thisArch().nr;
  return (fd, cdb, data, timeoutMs, before) => {
    const transfer = withSpillRoom(cdb, data);
    const most = typeof data === "number" ? data : 0;
    const bytes = BLOCK_OVERHEAD + (typeof transfer === "number" ? transfer : transfer.length);
    let block: SgBlock;
    return threads.run(bytes, (memory) => {
      before?.();
      block = blockOf(memory);
      block.encode({ cdb, data: transfer, timeoutMs });
      memory.call(ioctl, fd, SG_IO, memory.address);
    }, (result) => {
      if (result < 0) throw new SysError("SG_IO", `descriptor ${fd}`, result);
      return block.decode(most);
    });
  };
}

function newBlock({ bytes, address }: CallMemory): SgBlock {
  return new SgBlock(bytes, BigInt(address));
}

/** The transfer a command gets: what it asks for, and for a PERSISTENT RESERVE IN {@link SPILL_ROOM} more. Pure. */
export function withSpillRoom(cdb: Uint8Array, data: Uint8Array | number): Uint8Array | number {
  return typeof data === "number" && cdb[0] === PERSISTENT_RESERVE_IN ? data + SPILL_ROOM : data;
}

/** Version of the SG_IO interface behind a descriptor, say 30536; sends nothing to the device. Rejects with {@link SysError}. */
export async function sgVersion(fd: number): Promise<number> {
  const version = new Uint8Array(4);
  const result = await ioctl(fd, SG_GET_VERSION_NUM, version);
  if (result < 0) throw new SysError("SG_GET_VERSION_NUM", `descriptor ${fd}`, result);
  return new DataView(version.buffer).getInt32(0, true);
}
