/**
 * The small medium of a simulated LUN: reads, writes and their kin, on blocks kept as hex digits. Pure.
 * Source: SBC-3. Blocks are 512 bytes; one that is all zero is not kept.
 *
 * @module
 */
import { BeReader, BeWriter, fromHex, ShortBuffer, toHex } from "../../bytes.ts";
import type { OrdinaryCommand } from "./command.ts";
import { BLOCK_BYTES, type LunModel } from "./model.ts";
import { check, good, type Outcome } from "./outcome.ts";
import { SENSE } from "./sense_code.ts";

/** First block and number of blocks a command is about. */
interface Extent {
  readonly lba: number;
  readonly blocks: number;
}

type Medium = (model: LunModel, extent: Extent, command: OrdinaryCommand) => Outcome;

const RANGED: Readonly<Record<number, { readonly extent: (cdb: BeReader) => Extent; readonly run: Medium }>> = {
  0x08: { extent: extent6, run: read }, // READ(6)
  0x28: { extent: extent10, run: read },
  0xa8: { extent: extent12, run: read },
  0x88: { extent: extent16, run: read },
  0x0a: { extent: extent6, run: write }, // WRITE(6)
  0x2a: { extent: extent10, run: write },
  0xaa: { extent: extent12, run: write },
  0x8a: { extent: extent16, run: write },
  0x2e: { extent: extent10, run: write }, // WRITE AND VERIFY(10)
  0x8e: { extent: extent16, run: write }, // WRITE AND VERIFY(16)
  0x41: { extent: extent10, run: writeSame },
  0x93: { extent: extent16, run: writeSame },
  0x2f: { extent: extent10, run: nothing }, // VERIFY(10)
  0x8f: { extent: extent16, run: nothing }, // VERIFY(16)
  0x35: { extent: extent10, run: nothing }, // SYNCHRONIZE CACHE(10)
  0x91: { extent: extent16, run: nothing }, // SYNCHRONIZE CACHE(16)
  0x89: { extent: extentCompare, run: compareAndWrite },
};
const UNMAP = 0x42;
const UNMAP_HEADER_BYTES = 8;
const UNMAP_DESCRIPTOR_BYTES = 16;

/** Executes a command about the medium; `null` when it is none. */
export function mediumCommand(model: LunModel, command: OrdinaryCommand): Outcome | null {
  const opcode = command.cdb[0] ?? 0;
  const ranged = RANGED[opcode];
  if (ranged === undefined && opcode !== UNMAP) return null;
  try {
    if (ranged === undefined) return unmap(model, command);
    const extent = ranged.extent(new BeReader(command.cdb));
    return inside(model, extent) ? ranged.run(model, extent, command) : check(model, SENSE.lbaOutOfRange);
  } catch (error) {
    if (error instanceof ShortBuffer) return check(model, SENSE.invalidFieldInCdb);
    throw error;
  }
}

function inside(model: LunModel, { lba, blocks }: Extent): boolean {
  return lba + blocks <= model.device.blocks;
}

function read(model: LunModel, { lba, blocks }: Extent, { room }: OrdinaryCommand): Outcome {
  const out = new BeWriter(Math.min(blocks * BLOCK_BYTES, room));
  for (let i = 0; i * BLOCK_BYTES < out.bytes.length; i++) {
    const kept = fromHex(model.medium[lba + i] ?? "");
    out.put(i * BLOCK_BYTES, kept.subarray(0, out.bytes.length - i * BLOCK_BYTES));
  }
  return good(model, out.bytes);
}

function write(model: LunModel, { lba, blocks }: Extent, { dataOut }: OrdinaryCommand): Outcome {
  const data = new BeReader(dataOut).slice(0, blocks * BLOCK_BYTES, "data to write");
  return good(store(model, lba, blocks, (i) => data.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)));
}

/** WRITE SAME: the one block of data on every block; with NDOB, or nothing given to UNMAP, zeros. */
function writeSame(model: LunModel, { lba, blocks }: Extent, { cdb, dataOut }: OrdinaryCommand): Outcome {
  const withoutData = cdb[0] === 0x93 && ((cdb[1] ?? 0) & 0x01) !== 0;
  const block = withoutData ? new Uint8Array(0) : new BeReader(dataOut).slice(0, BLOCK_BYTES, "block to write");
  const whole = blocks === 0 ? model.device.blocks - lba : blocks;
  return good(store(model, lba, whole, () => block));
}

function nothing(model: LunModel): Outcome {
  return good(model);
}

function compareAndWrite(model: LunModel, extent: Extent, { dataOut }: OrdinaryCommand): Outcome {
  const { lba, blocks } = extent;
  const data = new BeReader(dataOut).slice(0, 2 * blocks * BLOCK_BYTES, "data to compare and to write");
  const part = (i: number): Uint8Array => data.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES);
  for (let i = 0; i < blocks; i++) {
    if (kept(part(i)) !== (model.medium[lba + i] ?? "")) return check(model, SENSE.miscompare);
  }
  return good(store(model, lba, blocks, (i) => part(blocks + i)));
}

function unmap(model: LunModel, { cdb, dataOut }: OrdinaryCommand): Outcome {
  const list = new BeReader(dataOut.subarray(0, new BeReader(cdb).u16(7, "PARAMETER LIST LENGTH")));
  if (list.length === 0) return good(model);
  const end = UNMAP_HEADER_BYTES + list.u16(2, "BLOCK DESCRIPTOR DATA LENGTH");
  let after = model;
  for (let at = UNMAP_HEADER_BYTES; at + UNMAP_DESCRIPTOR_BYTES <= end; at += UNMAP_DESCRIPTOR_BYTES) {
    const extent = { lba: Number(list.u64(at, "LBA")), blocks: list.u32(at + 8, "NUMBER OF BLOCKS") };
    if (!inside(model, extent)) return check(model, SENSE.lbaOutOfRange);
    after = store(after, extent.lba, extent.blocks, () => new Uint8Array(0));
  }
  return good(after);
}

function store(model: LunModel, lba: number, blocks: number, block: (i: number) => Uint8Array): LunModel {
  if (blocks === 0) return model;
  const medium: Record<string, string> = { ...model.medium };
  for (let i = 0; i < blocks; i++) {
    const digits = kept(block(i));
    if (digits === "") delete medium[lba + i];
    else medium[lba + i] = digits;
  }
  return { ...model, medium };
}

/** A block as the model keeps it: hex digits without the zero bytes at its end. */
function kept(block: Uint8Array): string {
  let end = block.length;
  while (end > 0 && block[end - 1] === 0) end--;
  return toHex(block.subarray(0, end));
}

function extent6(cdb: BeReader): Extent {
  const length = cdb.u8(4, "TRANSFER LENGTH");
  return { lba: cdb.u32(0, "LBA") & 0x1fffff, blocks: length === 0 ? 256 : length };
}

function extent10(cdb: BeReader): Extent {
  return { lba: cdb.u32(2, "LBA"), blocks: cdb.u16(7, "TRANSFER LENGTH") };
}

function extent12(cdb: BeReader): Extent {
  return { lba: cdb.u32(2, "LBA"), blocks: cdb.u32(6, "TRANSFER LENGTH") };
}

function extent16(cdb: BeReader): Extent {
  return { lba: Number(cdb.u64(2, "LBA")), blocks: cdb.u32(10, "TRANSFER LENGTH") };
}

function extentCompare(cdb: BeReader): Extent {
  return { lba: Number(cdb.u64(2, "LBA")), blocks: cdb.u8(13, "NUMBER OF LOGICAL BLOCKS") };
}
