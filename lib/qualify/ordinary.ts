/**
 * The everyday commands of the scenarios, by name: their bytes, and how much data goes which way. Pure.
 *
 * Reads and writes are about block 1 of a scratch LUN.
 *
 * @module
 */
import { BeWriter, type Bytes } from "../bytes.ts";

/** A command as a Nexus takes it: `data` is data-out, or the room for data-in. */
export interface RawCommand {
  /** Command block. */
  readonly cdb: Bytes;
  /** Data-out, or bytes of room for data-in. */
  readonly data: Bytes | number;
}

type Make = (blockBytes: number) => RawCommand;

const LBA = 1;

const COMMANDS = {
  testUnitReady: () => bytes(0, 0x00, 0, 0, 0, 0, 0),
  requestSense: () => bytes(252, 0x03, 0, 0, 0, 252, 0),
  inquiry: () => bytes(96, 0x12, 0, 0, 0, 96, 0),
  modeSense6: () => bytes(192, 0x1a, 0x08, 0x3f, 0, 192, 0),
  modeSense10: () => bytes(192, 0x5a, 0x08, 0x3f, 0, 0, 0, 0, 0, 192, 0),
  start: () => bytes(0, 0x1b, 0x01, 0, 0, 0x01, 0),
  active: () => bytes(0, 0x1b, 0, 0, 0, 0x10, 0), // POWER CONDITION = ACTIVE: no plain start, and stops nothing
  allowRemoval: () => bytes(0, 0x1e, 0, 0, 0, 0, 0),
  preventRemoval: () => bytes(0, 0x1e, 0, 0, 0, 1, 0),
  reserve6: () => bytes(0, 0x16, 0, 0, 0, 0, 0),
  release6: () => bytes(0, 0x17, 0, 0, 0, 0, 0),
  readCapacity10: () => bytes(8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  readCapacity16: () => ({ cdb: new BeWriter(16).u8(0, 0x9e).u8(1, 0x10).u32(10, 32).bytes, data: 32 }),
  reportLuns: () => ({ cdb: new BeWriter(12).u8(0, 0xa0).u32(6, 64).bytes, data: 64 }),
  read: (block) => ({ cdb: ranged10(0x28), data: block }),
  read6: (block) => bytes(block, 0x08, 0, 0, LBA, 1, 0),
  read16: (block) => ({ cdb: ranged16(0x88), data: block }),
  write: (block) => ({ cdb: ranged10(0x2a), data: pattern(block) }),
  write6: (block) => ({ cdb: bytes(0, 0x0a, 0, 0, LBA, 1, 0).cdb, data: pattern(block) }),
  write16: (block) => ({ cdb: ranged16(0x8a), data: pattern(block) }),
  writeSame16: (block) => ({ cdb: ranged16(0x93), data: pattern(block) }),
  synchronizeCache10: () => ({ cdb: new BeWriter(10).u8(0, 0x35).bytes, data: 0 }),
  unmap: () => ({
    cdb: new BeWriter(10).u8(0, 0x42).u16(7, 24).bytes,
    data: new BeWriter(24).u16(0, 22).u16(2, 16).u64(8, BigInt(LBA)).u32(16, 1).bytes,
  }),
} as const satisfies Record<string, Make>;

/** Name of an everyday command. */
export type OrdinaryName = keyof typeof COMMANDS;

/** Every name. */
// Object.keys() is typed for objects that may have more than they say; this one has not.
export const ORDINARY_NAMES = Object.keys(COMMANDS) as readonly OrdinaryName[];

/** The command of a name, for a LUN with blocks of this many bytes. */
export function ordinaryCommand(name: OrdinaryName, blockBytes: number): RawCommand {
  return COMMANDS[name](blockBytes);
}

function bytes(room: number, ...cdb: number[]): RawCommand {
  return { cdb: Uint8Array.from(cdb), data: room };
}

function ranged10(opcode: number): Bytes {
  return new BeWriter(10).u8(0, opcode).u32(2, LBA).u16(7, 1).bytes;
}

function ranged16(opcode: number): Bytes {
  return new BeWriter(16).u8(0, opcode).u64(2, BigInt(LBA)).u32(10, 1).bytes;
}

function pattern(size: number): Bytes {
  return new Uint8Array(size).fill(0x5a);
}
