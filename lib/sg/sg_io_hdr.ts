/**
 * The kernel's sg_io_hdr, version 3, and everything it points to, in one buffer. Pure: bytes in, bytes out.
 *
 *     0 header, 88 bytes | 88 CDB, 32 | 120 sense, 252 | 384 data
 *
 * One buffer, because a foreign call keeps alive only the buffer it was given, not what addresses inside it point to.
 * The layout is that of 64-bit little-endian Linux (include/scsi/sg.h), checked with offsetof.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import type { Reply } from "../pr/nexus.ts";

/** ioctl request: execute a command and wait for it. */
export const SG_IO = 0x2285;
/** ioctl request that every SCSI node knows, and that sends nothing. */
export const SG_GET_VERSION_NUM = 0x2282;

const CDB = 88, SENSE = 120, DATA = 384;
/** Longest CDB that fits. */
export const MAX_CDB_BYTES = SENSE - CDB;
/** What the kernel may write of sense data. */
export const SENSE_BYTES = 252;

const NONE = -1, TO_DEVICE = -2, FROM_DEVICE = -3;

/** One command: its CDB, the data-out or the allocation length of the data-in, and its time limit in milliseconds. */
export interface SgCommand {
  readonly cdb: Uint8Array;
  readonly data: Uint8Array | number;
  readonly timeoutMs: number;
}

/** Bytes of a block besides its data. The last 12 of them are nobody's (lib/sys/thread_elf.ts uses them). */
export const BLOCK_OVERHEAD = DATA;

/**
 * Lays a command out for SG_IO.
 *
 * `addressOf` tells where a buffer lies in memory. Throws `RangeError` for a CDB of no or more than 32 bytes, a data
 * length that is no natural number, or a timeout that is not positive (0 would mean the kernel's own default).
 */
export function encodeSgIo(command: SgCommand, addressOf: (buffer: ArrayBuffer) => bigint): Bytes {
  const length = dataLength(command);
  if (!Number.isInteger(length) || length < 0) throw new RangeError(`a data length of ${length}`);
  const buffer = new ArrayBuffer(DATA + length);
  const block = new SgBlock(new Uint8Array(buffer), addressOf(buffer));
  block.encode(command);
  return block.bytes;
}

/** Reads back what the kernel filled in. See {@link SgBlock.decode}. */
export function decodeSgIo(block: Bytes): SgReply {
  return new SgBlock(block, null).decode();
}

/** A reply, and how long the kernel says it took. */
export type SgReply = Reply & { readonly durationMs: number };

const EMPTY = new Uint8Array(0);

function dataLength({ data }: SgCommand): number {
  return typeof data === "number" ? data : data.length;
}

/** Memory for one command after the other. */
export class SgBlock {
  readonly #view: DataView;
  readonly #data: bigint;

  /** `bytes`: header, CDB, sense, and room for data. `address`: of their first; `null` when nothing is to be encoded. */
  constructor(readonly bytes: Bytes, address: bigint | null) {
    const view = this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#data = (address ?? 0n) + BigInt(DATA);
    if (address === null) return;
    view.setInt32(0, 0x53, true); // interface_id 'S'
    view.setUint8(9, SENSE_BYTES);
    view.setBigUint64(24, address + BigInt(CDB), true); // cmdp
    view.setBigUint64(32, address + BigInt(SENSE), true); // sbp
  }

  /** Lays a command out; what an earlier one left is gone. Throws `RangeError` as {@link encodeSgIo} does. */
  encode(command: SgCommand): void {
    const { cdb, data, timeoutMs } = command;
    const length = dataLength(command);
    if (cdb.length < 1 || cdb.length > MAX_CDB_BYTES) throw new RangeError(`a CDB of ${cdb.length} bytes`);
    if (!Number.isInteger(length) || length < 0 || length > this.bytes.length - DATA) {
      throw new RangeError(`a data length of ${length}`);
    }
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 0xffffffff) {
      throw new RangeError(`a timeout of ${timeoutMs} ms`);
    }
    const view = this.#view;
    view.setInt32(4, length === 0 ? NONE : typeof data === "number" ? FROM_DEVICE : TO_DEVICE, true);
    view.setUint8(8, cdb.length);
    view.setUint32(12, length, true);
    view.setBigUint64(16, length === 0 ? 0n : this.#data, true); // dxferp
    view.setUint32(40, timeoutMs, true);
    for (let at = 64; at < 88; at += 4) view.setUint32(at, 0, true); // what the kernel fills in
    this.bytes.set(cdb, CDB);
    // A device that says it sent more than it did must not show what was here before.
    if (typeof data === "number") this.bytes.fill(0, DATA, DATA + length);
    else this.bytes.set(data, DATA);
  }

  /**
   * Reads back what the kernel filled in: copies, of at most `most` bytes of data.
   *
   * The residual counts the bytes NOT transferred. A negative one (the device had more to say) means all came; one larger
   * than the buffer is a driver's nonsense and means that nothing is known to have come. After a transport failure
   * (host status) nothing counts as transferred whatever the residual says.
   */
  decode(most = Infinity): SgReply {
    const view = this.#view;
    const hostStatus = view.getUint16(68, true);
    const incoming = view.getInt32(4, true) === FROM_DEVICE && hostStatus === 0;
    const room = view.getUint32(12, true);
    const residual = view.getInt32(72, true);
    const transferred = !incoming || residual > room ? 0 : Math.min(room - Math.max(residual, 0), most);
    const senseLength = Math.min(view.getUint8(67), SENSE_BYTES);
    return {
      status: view.getUint8(64),
      sense: senseLength === 0 ? EMPTY : this.bytes.slice(SENSE, SENSE + senseLength),
      dataIn: transferred === 0 ? EMPTY : this.bytes.slice(DATA, DATA + transferred),
      hostStatus,
      driverStatus: view.getUint16(70, true),
      durationMs: view.getUint32(76, true),
    };
  }
}
