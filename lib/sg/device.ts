/**
 * A nexus through a SCSI node of this host: /dev/sgN, /dev/sdX, or any link to one.
 *
 * Opened and proved to be a SCSI node before any command is sent. Closing waits for a command in flight: a descriptor
 * given back too early could by then be another device's.
 *
 * @module
 */
import type { CommandOptions, InitiatorHint, Nexus, Reply } from "../pr/nexus.ts";
import { SysError } from "../sys/errno.ts";
import { closeFd, O_NONBLOCK, O_RDONLY, O_RDWR, openFd } from "../sys/fd.ts";
import { Slots } from "../sys/slots.ts";
import { type Host, THIS_HOST } from "./host.ts";
import { ownInitiator } from "./initiator.ts";
import { describeNode, type NodeInfo } from "./node.ts";
import { commandFailure, openRefusal, refusal } from "./refusal.ts";
import { sgIo, sgVersion } from "./sg_io.ts";

/**
 * How long a command may take when its sender does not say, in milliseconds. A command that changes something gets
 * longer, because its timeout leaves the outcome open; an array that fails over answers within this. On block nodes the
 * kernel raises anything below 7 s to 7 s.
 */
export const DEFAULT_TIMEOUT_MS = { dataIn: 10_000, dataOut: 30_000 } as const;

/** How to open a node. */
export interface OpenOptions {
  /** Will a command be sent that changes something? `false` opens read-only, and the kernel helps to keep it so. */
  readonly writable: boolean;
}

/**
 * Opens a SCSI node, by its address or as it was found a moment ago. Sends no command.
 *
 * Rejects with PrmigError `device`, naming the true errno: missing, no permission, a directory, a file, a partition, a
 * device-mapper volume, not SCSI, busy, gone.
 */
export async function openSgDevice(
  which: string | NodeInfo,
  options: OpenOptions,
  host: Host = THIS_HOST,
): Promise<SgNexus> {
  const node = typeof which === "string" ? describeNode(which, host) : which;
  const { address } = node;
  // On a block node write access earns nothing (its commands take CAP_SYS_RAWIO either way), and closing a block node
  // that was open for writing makes udev read the disk again through this very nexus.
  const mode = options.writable && node.kind === "sg" ? O_RDWR : O_RDONLY;
  const fd = await opened(address, mode | O_NONBLOCK);
  try {
    await sgVersion(fd);
  } catch (error) {
    closeFd(fd);
    throw notScsi(address, error);
  }
  return new SgNexus(node, fd, node.hctl === null ? null : ownInitiator(node.hctl, host));
}

/** A {@link Nexus} over SG_IO. One command at a time, in the order they were asked for. */
export class SgNexus implements Nexus {
  readonly address: string;
  readonly #queue = new Slots(1);
  #fd: number;
  #closing = false;

  /** Over an open descriptor, which is its own from now on; {@link openSgDevice} is the way to one. */
  constructor(readonly node: NodeInfo, fd: number, readonly initiator: InitiatorHint | null) {
    this.address = node.address;
    this.#fd = fd;
  }

  /**
   * Executes one command.
   *
   * Rejects with PrmigError `device` when the command did not leave, and `unsure` when the system call failed in a way
   * that leaves open whether a command with data-out was carried out.
   */
  async execute(cdb: Uint8Array, data: Uint8Array | number, options: CommandOptions = {}): Promise<Reply> {
    const fallback = typeof data === "number" ? DEFAULT_TIMEOUT_MS.dataIn : DEFAULT_TIMEOUT_MS.dataOut;
    const { timeoutMs = fallback } = options;
    try {
      return await this.#queue.run(() => sgIo(this.#fd, cdb, data, timeoutMs, () => this.#insistOnOpen()));
    } catch (error) {
      if (error instanceof SysError) throw commandFailure(this.address, error, cdb, typeof data === "number");
      throw error;
    } finally {
      if (this.#closing) this.#release();
    }
  }

  /** Gives the descriptor back, at once or as soon as the command in flight has ended; queued commands are not sent. */
  close(): void {
    this.#closing = true;
    this.#release();
  }

  #release(): void {
    if (this.#fd < 0 || this.#queue.taken > 0) return;
    closeFd(this.#fd);
    this.#fd = -1;
  }

  #insistOnOpen(): void {
    if (!this.#closing) return;
    throw refusal(this.address, "it was closed", "run the command again", { action: "send a command to" });
  }
}

async function opened(address: string, flags: number): Promise<number> {
  try {
    return await openFd(address, flags);
  } catch (error) {
    if (error instanceof SysError) throw openRefusal(address, error.code, error);
    throw error;
  }
}

function notScsi(address: string, error: unknown): unknown {
  if (!(error instanceof SysError)) return error;
  if (!["ENOTTY", "EINVAL", "ENOSYS"].includes(error.code)) return openRefusal(address, error.code, error);
  const remedy = "list the SCSI disks of this host: prmig dump --all";
  return refusal(address, `it is not a SCSI device (${error.code})`, remedy, { status: error.code, cause: error });
}
