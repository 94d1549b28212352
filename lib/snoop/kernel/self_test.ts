/**
 * Proves that probe, filter, reader and parser work, without a SCSI command.
 *
 * SG_IO with the opcode of PERSISTENT RESERVE OUT, a nonce as its key, and a CDB of five bytes: the kernel refuses the
 * length (EMSGSIZE) before anything is dispatched, but the probe on the way has fired, and its line carries the nonce.
 *
 * @module
 */
import { sgIo } from "../../sg/sg_io.ts";
import { SysError } from "../../sys/errno.ts";
import { closeFd, O_NONBLOCK, O_RDONLY, openFd } from "../../sys/fd.ts";
import { SELF_TEST_CDB_LENGTH } from "./correlate.ts";

const PERSISTENT_RESERVE_OUT = 0x5f, LIST_BYTES = 24, TIMEOUT_MS = 1000;

/** A descriptor kept open, above all so that the module its probe sits in cannot be unloaded. */
export interface HeldNode {
  /** Sends the nonce past the probe. Resolves with `null`, or why the kernel did something else than refuse it. */
  fire(nonce: bigint): Promise<string | null>;
  close(): void;
}

/** Opens a node for reading; sends nothing. Throws {@link SysError}. */
export async function holdNode(path: string): Promise<HeldNode> {
  const fd = await openFd(path, O_RDONLY | O_NONBLOCK);
  let closed = false;
  return {
    fire: (nonce) => fire(fd, nonce),
    close: () => {
      if (!closed) closeFd(fd);
      closed = true;
    },
  };
}

async function fire(fd: number, nonce: bigint): Promise<string | null> {
  const cdb = new Uint8Array(SELF_TEST_CDB_LENGTH);
  cdb[0] = PERSISTENT_RESERVE_OUT;
  const list = new Uint8Array(LIST_BYTES);
  new DataView(list.buffer).setBigUint64(0, nonce);
  try {
    await sgIo(fd, cdb, list, TIMEOUT_MS);
    return "the kernel took a command of five bytes";
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return error.code === "EMSGSIZE" ? null : error.message;
  }
}

/** A number nobody else uses as a key. */
export function newNonce(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0]!;
}

/** Settings of the kernel that silence probes while they read as enabled, and the names of those that do so now. */
export function silencers(read: (path: string) => string | null): string[] {
  const found: string[] = [];
  if (read("/proc/sys/kernel/ftrace_enabled")?.trim() === "0") found.push("kernel.ftrace_enabled is 0");
  if (read("/sys/kernel/debug/kprobes/enabled")?.trim() === "0") found.push("debugfs kprobes/enabled is 0");
  return found;
}
