/**
 * The kernel's sg_io_hdr, version 3, and everything it points to, in one buffer. Pure: bytes in, bytes out.
 *
 *     0 header, 88 bytes | 88 CDB, 32 | 120 sense, 252 | 384 data
 *
 * One buffer, because what keeps it alive until the call is over need know nothing of the addresses inside it.
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

/** Bytes of a block besides its data. */
export const BLOCK_OVERHEAD = DATA;

/** A reply, and how long the kernel says it took. */
export type SgReply = Reply & { readonly durationMs: number };

const EMPTY = new Uint8Array(0);

/** Memory for one command after the other. */
export class SgBlock {
  readonly #view: DataView;
  readonly #cdb: bigint;
  readonly #sense: bigint;
  readonly #data: bigint;

  /** `bytes`: header, CDB, sense, and room for data. `address`: of their first. */
  constructor(readonly bytes: Bytes, address: bigint) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    [this.#cdb, this.#sense, this.#data] = [address + BigInt(CDB), address + BigInt(SENSE), address + BigInt(DATA)];
  }

  /**
   * Lays a command out; what was there before is gone, whoever left it. Throws `RangeError` for a CDB of no or more than 32 bytes, a data
   * length that is no natural number or for which there is no room, or a timeout that is not positive (0 would mean the
   * kernel's own default).
   */
  encode({ cdb, data, timeoutMs }: SgCommand): void {
    const length = typeof data === "number" ? data : data.length;
    if (cdb.length < 1 || cdb.length > MAX_CDB_BYTES) throw new RangeError(`a CDB of ${cdb.length} bytes`);
    if (!Number.isInteger(length) || length < 0 || length > this.bytes.length - DATA) {
      throw new RangeError(`a data length of ${length}`);
    }
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 0xffffffff) {
      throw new RangeError(`a timeout of ${timeoutMs} ms`);
    }
    const view = this.#view;
    view.setInt32(0, 0x53, true); // interface_id 'S'
    view.setInt32(4, length === 0 ? NONE : typeof data === "number" ? FROM_DEVICE : TO_DEVICE, true);
    view.setUint8(8, cdb.length);
    view.setUint8(9, SENSE_BYTES);
    view.setUint16(10, 0, true); // no scatter list
    view.setUint32(12, length, true);
    view.setBigUint64(16, length === 0 ? 0n : this.#data, true); // dxferp
    view.setBigUint64(24, this.#cdb, true); // cmdp
    view.setBigUint64(32, this.#sense, true); // sbp
    view.setUint32(40, timeoutMs, true);
    for (let at = 44; at < 88; at += 4) view.setUint32(at, 0, true); // flags, and what the kernel fills in
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
