/**
 * The nine kprobes that see a reservation key before the kernel does, as data. Pure: text and tables.
 *
 *     p:GROUP/sd_ioctl sd_ioctl cmd=$arg3:x32 iid=+u0($arg4):s32 ... rk=+u0(+u16($arg4)):x64 sk=... d16=...
 *
 * They sit on functions that are reached through operation tables: a fixed signature, never inlined. The SG_IO and
 * bsg ones fetch CDB and parameter list from the caller's memory as little-endian words; the PR-ioctl ones find the
 * keys in registers, as the numbers they are. Every definition is added by appending one line to `kprobe_events`.
 *
 * Source: Linux 6.1 to 6.18, drivers/scsi/sd.c, sg.c, block/bsg.c; Documentation/trace/kprobetrace.rst.
 *
 * @module
 */

/** Byte offsets of the members that lead from a function's first argument to the device number. */
export interface DeviceOffsets {
  /** block_device.bd_dev */
  readonly bdDev: number;
  /** file.f_inode */
  readonly fInode: number;
  /** inode.i_rdev */
  readonly iRdev: number;
}

/** One probe: where, what it fetches, which hits are wanted. */
export interface Probe {
  /** Event name, unique in the group, and the symbol probed. */
  readonly name: string;
  readonly symbol: string;
  /** Fetch arguments without the device number. */
  readonly fetch: string;
  /** Condition that picks PERSISTENT RESERVE OUT; empty: every hit is one. */
  readonly filter: string;
  /** What the first argument is: it leads to the device number. `none` of these for an fd-less entry point. */
  readonly first: "bdev" | "file";
  /** Where the words come from: the caller's memory, or registers that hold the keys themselves. */
  readonly words: "memory" | "registers";
  /** Service actions a hit of this probe can turn into; `null`: the CDB says. */
  readonly serviceActions: readonly number[] | null;
}

/** sg_io_hdr v3 behind argument `n`: command length, scatter count, data length, CDB, keys, bytes 16 to 23. */
function sgIoHdr(n: number): string {
  const at = (offset: number): string => `+u${offset}($arg${n})`;
  return [
    `iid=${at(0)}:s32 clen=${at(8)}:u8 iov=${at(10)}:u16 dlen=${at(12)}:u32`,
    `op=+u0(${at(24)}):u8 c0=+u0(${at(24)}):x64 c8=+u8(${at(24)}):x16`,
    `rk=+u0(${at(16)}):x64 sk=+u8(${at(16)}):x64 d16=+u16(${at(16)}):x64`,
  ].join(" ");
}

/** sg_io_v4 behind argument 3 of bsg_ioctl. */
const SG_IO_V4 = [
  "clen=+u12($arg3):u32 iov=+u56($arg3):u32 dlen=+u60($arg3):u32",
  "op=+u0(+u16($arg3)):u8 c0=+u0(+u16($arg3)):x64 c8=+u8(+u16($arg3)):x16",
  "rk=+u0(+u72($arg3)):x64 sk=+u8(+u72($arg3)):x64 d16=+u16(+u72($arg3)):x64",
].join(" ");

const SG_IO = "cmd == 0x2285 && op == 0x5f";

function ofMemory(name: string, first: Probe["first"], fetch: string, filter: string): Probe {
  return { name, symbol: name, fetch, filter, first, words: "memory", serviceActions: null };
}

function ofRegisters(name: string, symbol: string, fetch: string, serviceActions: readonly number[]): Probe {
  return { name, symbol, fetch, filter: "", first: "bdev", words: "registers", serviceActions };
}

/** All nine, in the order they are armed. */
export const PROBES: readonly Probe[] = [
  ofMemory("sd_ioctl", "bdev", `cmd=$arg3:x32 ${sgIoHdr(4)}`, SG_IO),
  ofMemory("sg_ioctl", "file", `cmd=$arg2:x32 ${sgIoHdr(3)}`, SG_IO),
  ofMemory("sg_write", "file", sgIoHdr(2), "iid == 83 && op == 0x5f"),
  ofMemory("bsg_ioctl", "file", `cmd=$arg2:x32 ${SG_IO_V4}`, SG_IO),
  ofRegisters("pr_reg", "sd_pr_register", "rk=$arg2:x64 sk=$arg3:x64 flags=$arg4:x32", [0x00, 0x06]),
  ofRegisters("pr_res", "sd_pr_reserve", "rk=$arg2:x64 type=$arg3:u32", [0x01]),
  ofRegisters("pr_rel", "sd_pr_release", "rk=$arg2:x64 type=$arg3:u32", [0x02]),
  ofRegisters("pr_pre", "sd_pr_preempt", "rk=$arg2:x64 sk=$arg3:x64 type=$arg4:u32 abort=$arg5:u8", [0x04, 0x05]),
  ofRegisters("pr_clr", "sd_pr_clear", "rk=$arg2:x64", [0x03]),
];

const BY_NAME = new Map(PROBES.map((probe) => [probe.name, probe]));

/** The probe of that event name, or undefined for somebody else's. */
export function probeNamed(name: string): Probe | undefined {
  return BY_NAME.get(name);
}

/** The line to append to `kprobe_events`. With `offsets` every hit also tells its device number. */
export function probeDefinition(group: string, probe: Probe, offsets: DeviceOffsets | null): string {
  const head = `p:${group}/${probe.name} ${probe.symbol}`;
  if (!offsets) return `${head} ${probe.fetch}`;
  const device = probe.first === "bdev"
    ? `dev=+${offsets.bdDev}($arg1):u32`
    : `dev=+${offsets.iRdev}(+${offsets.fInode}($arg1)):u32`;
  return `${head} ${device} ${probe.fetch}`;
}

/**
 * The condition for one probe of an instance; empty when there is none to set.
 *
 * `devices` are the kernel's own numbers (`major << 20 | minor`); they narrow only a probe defined with offsets.
 */
export function probeFilter(probe: Probe, devices: readonly number[]): string {
  const device = devices.map((dev) => `dev == ${dev}`).join(" || ");
  if (device === "") return probe.filter;
  return probe.filter === "" ? device : `${probe.filter} && (${device})`;
}

/** The kernel's device number as dev_t holds it (not as stat(2) encodes it). */
export function kernelDevice(major: number, minor: number): number {
  return major * 0x100000 + minor;
}
