/**
 * A Nexus executes one SCSI command at a time on one LUN: the joint between everything that decides and everything
 * that does. Three kinds exist: SG_IO (lib/sg), simulated (lib/sim), recorded and replayed (tests, bug reports).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import type { TransportId } from "./transport_id.ts";

/** What came back. A command that could not be handed to the kernel at all throws a PrmigError instead. */
export interface Reply {
  /** SAM status byte: 00h GOOD, 02h CHECK CONDITION, 08h BUSY, 18h RESERVATION CONFLICT, 28h TASK SET FULL ... */
  readonly status: number;
  /** Sense data as delivered, fixed or descriptor format; empty when there was none. */
  readonly sense: Bytes;
  /** The bytes really transferred from the device; never longer than the allocation length. */
  readonly dataIn: Bytes;
  /** Linux host byte (DID_*): 0 when the transport did its work. Not 0 means the status byte says nothing. */
  readonly hostStatus?: number;
  /** Linux driver byte: 0, 06h timeout, 08h "sense valid" on older kernels. */
  readonly driverStatus?: number;
}

/** Limits of one command. */
export interface CommandOptions {
  /** Milliseconds until the kernel gives up on the command; its outcome is then unknown. */
  readonly timeoutMs?: number;
}

/** What this host knows of its own initiator port without sending a command. */
export interface InitiatorHint {
  /** The port, or with `prefix` the beginning of its address. */
  readonly transportId: TransportId;
  /** `prefix`: only the beginning of the address is known (iSCSI without the session's ISID). */
  readonly match: "exact" | "prefix";
}

/** One I_T nexus to one LUN. */
export interface Nexus {
  /** The address a person would type: `/dev/sg3`, `sim:lun.json?nexus=A`. */
  readonly address: string;
  /** Our end of the nexus, as far as the host reveals it; `null` when it does not. */
  readonly initiator: InitiatorHint | null;
  /**
   * Executes one command.
   *
   * `data` is the data-out as bytes, or the allocation length of the data-in as a number (0: no data).
   * Resolves with the device's answer whatever its status. Rejects with a PrmigError of kind `device` when the
   * command never got as far as the device (errno of the system call).
   */
  execute(cdb: Uint8Array, data: Uint8Array | number, options?: CommandOptions): Promise<Reply>;
  /** Gives back the descriptor, the lock, whatever the nexus holds. Safe to call twice. */
  close(): void;
}
