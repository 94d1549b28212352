/**
 * "The device cannot do it" in one clear line with the true errno and one remedy (exit code 4).
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { toHex } from "../bytes.ts";
import { describeErrno, errnoNumber, type SysError } from "../sys/errno.ts";

const NOTHING_SENT = "untouched: nothing was sent to it";

/** A refusal before any command left: `reason` completes "Cannot <action> <address>: ". */
export function refusal(
  address: string,
  reason: string,
  remedy: string,
  options: { readonly action?: string; readonly status?: string; readonly cause?: unknown } = {},
): PrmigError {
  const { action = "open", status, cause } = options;
  return new PrmigError("device", {
    message: `Cannot ${action} ${address}: ${reason}`,
    device: address,
    ...(status === undefined ? {} : { status }),
    lun: NOTHING_SENT,
    remedy,
  }, { cause });
}

/** A path that could not be opened or looked up, by the errno's name (`ENOENT`). */
export function openRefusal(address: string, code: string, cause: unknown): PrmigError {
  const number = errnoNumber(code);
  const meaning = number === undefined ? String(cause) : describeErrno(number).meaning;
  const [reason, remedy] = OPEN_REFUSALS[code]?.(address) ?? [meaning, "look at the host's log: journalctl -k"];
  return refusal(address, `${reason} (${code})`, remedy, { status: `${code}: ${meaning}`, cause });
}

type Words = (address: string) => readonly [reason: string, remedy: string];
const LIST = "list the SCSI disks of this host: prmig dump --all";
const gone: Words = () => ["the node is there, but no device is behind it any more", LIST];
const denied: Words = (address) => ["permission denied", `run prmig as root, or let this user open ${address}`];

const OPEN_REFUSALS: Record<string, Words> = {
  ENOENT: () => ["there is no such file", LIST],
  ENOTDIR: () => ["there is no such file", LIST],
  ELOOP: () => ["its symbolic links lead round in a circle", LIST],
  EACCES: denied,
  EPERM: denied,
  EBUSY: (address) => ["another program has opened it for itself alone", `find the program: fuser -v ${address}`],
  ENXIO: gone,
  ENODEV: gone,
  EISDIR: () => ["it is a directory, not a device", LIST],
  EMFILE: () => ["this process has too many files open", "raise its limit: ulimit -n 4096"],
};

/** Errors by which the kernel refuses a command before it leaves. */
const NEVER_SENT: readonly string[] = [
  ...["EPERM", "EACCES", "EINVAL", "ENOTTY", "ENOSYS", "EBADF", "EMSGSIZE", "ENOMEM", "EDOM", "ENXIO", "EAGAIN"],
];

/**
 * The system call of a command failed. `device` when it never left or only `reads`; otherwise `unsure`, for errors such
 * as EIO and ENODEV come before and after the device has carried the command out.
 */
export function commandFailure(address: string, error: SysError, cdb: Uint8Array, reads: boolean): PrmigError {
  const { name, meaning } = describeErrno(error.errno);
  const denied = name === "EPERM" || name === "EACCES";
  const facts = {
    // In the message, too: `watch` shows it and no remedy.
    message: `Cannot send a command to ${address}: ${meaning}${denied ? ": it takes CAP_SYS_RAWIO" : ""} (${name})`,
    device: address,
    command: `CDB ${toHex(cdb, " ")}`,
    status: name,
  };
  const remedy = denied
    ? "run prmig as root: the kernel lets others send only a few harmless commands (CAP_SYS_RAWIO)"
    : `see whether the path is still there: prmig dump ${address}`;
  if (NEVER_SENT.includes(name)) {
    return new PrmigError("device", { ...facts, lun: NOTHING_SENT, remedy }, { cause: error });
  }
  if (reads) {
    return new PrmigError("device", { ...facts, lun: "unchanged: the command only reads", remedy }, { cause: error });
  }
  const lun = "unknown: the command may have been carried out";
  const look = `read the LUN, through another path if this one is gone: prmig dump ${address}`;
  return new PrmigError("unsure", { ...facts, lun, remedy: look }, { cause: error });
}
