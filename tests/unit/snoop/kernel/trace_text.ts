/** Trace lines built by hand for tests, in the kernel's columns; shares no code with lib/. */

/** Who runs where, and when. */
export interface Where {
  readonly comm?: string;
  readonly tid?: number;
  readonly tgid?: number;
  readonly cpu?: number;
  readonly at: number;
}

function head({ comm = "sg_persist", tid = 150, tgid = tid, cpu = 0, at }: Where): string {
  const seconds = `${Math.floor(at / 1_000_000)}.${String(at % 1_000_000).padStart(6, "0")}`;
  return `${comm.padStart(16)}-${String(tid).padEnd(7)} (${String(tgid).padStart(7)}) [${
    String(cpu).padStart(3, "0")
  }] ..... ${seconds.padStart(12)}: `;
}

/** A command block, for example `5f 00 00 00 00 00 00 00 18 00`. */
export const cdbOf = (action: number, type = 0, length = 24): string =>
  [0x5f, action, type, 0, 0, 0, 0, 0, length, 0].map((b) => b.toString(16).padStart(2, "0")).join(" ");

/** Address and tag of a dispatch line. */
export interface At {
  readonly hctl?: string;
  readonly tag?: number;
}

/** scsi_dispatch_cmd_*; `tail` is what follows the CDB. */
export function dispatchText(
  kind: "start" | "done" | "error" | "timeout",
  where: Where,
  cdb: string,
  { hctl = "0:0:1:0", tag = 576 }: At = {},
  tail = "",
): string {
  const [h, c, i, l] = hctl.split(":");
  return head(where) +
    `scsi_dispatch_cmd_${kind}: host_no=${h} channel=${c} id=${i} lun=${l} data_sgl=1 prot_sgl=0 prot_op=SCSI_PROT_NORMAL` +
    ` driver_tag=${tag} scheduler_tag=0 cmnd=(PERSISTENT_RESERVE_OUT - raw=${cdb})${tail}`;
}

/** The result of a done line. */
export const result = (status = "GOOD", host = "DID_OK"): string =>
  ` result=(driver=DRIVER_OK host=${host} message=COMMAND_COMPLETE status=SAM_STAT_${status})`;

function littleWord(bytes: readonly number[]): string {
  return "0x" + [...bytes].reverse().reduce((value, byte) => value * 256n + BigInt(byte), 0n).toString(16);
}

function keyWord(key: bigint): string {
  return littleWord(Array.from({ length: 8 }, (_, i) => Number((key >> BigInt(56 - 8 * i)) & 0xffn)));
}

/** What a memory probe prints beside CDB and keys. */
export interface ProbeExtras {
  readonly probe?: string;
  readonly clen?: number;
  readonly iov?: number;
  readonly dlen?: number;
  readonly dev?: number;
  readonly d16?: string;
}

/** A probe that fetched CDB and keys from memory. */
export function probeText(where: Where, cdb: string, rk: bigint, sk: bigint, extras: ProbeExtras = {}): string {
  const { probe = "sd_ioctl", clen = 10, iov = 0, dlen = 24, dev, d16 = "0x0" } = extras;
  const bytes = cdb.split(" ").map((pair) => parseInt(pair, 16));
  return head(where) + `${probe}: (${probe}+0x0/0x1a0 [sd_mod])${dev === undefined ? "" : ` dev=${dev}`} cmd=0x2285` +
    ` iid=83 clen=${clen} iov=${iov} dlen=${dlen} op=95 c0=${littleWord(bytes.slice(0, 8))}` +
    ` c8=${littleWord(bytes.slice(8, 10))} rk=${keyWord(rk)} sk=${keyWord(sk)} d16=${d16}`;
}

/** A probe on a PR ioctl; `words` as the kernel prints them, `rk=0x1 sk=0x2`. */
export function ioctlText(where: Where, probe: string, words: string): string {
  return head(where) + `${probe}: (sd_pr_x+0x0/0x40 [sd_mod]) ${words}`;
}
