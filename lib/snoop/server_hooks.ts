/**
 * What a server of the pr-helper protocol needs from whoever executes its clients' commands. Types alone.
 *
 * @module
 */
import type { SysError } from "../sys/errno.ts";
import type { Peer } from "../sys/unix_socket.ts";
import type { CloseReason, HelperAnswer, HelperRequest } from "./helper_protocol.ts";

/** One connected client. */
export interface Client {
  /** Counts up from 1, never used twice. */
  readonly id: number;
  readonly peer: Peer;
}

/** What the server calls. Nothing here may throw. */
export interface ServerHooks {
  /**
   * Executes one command. `reply` takes the answer, exactly once; the promise settles when the descriptor is no longer
   * needed, which may be later. The server closes the descriptor.
   */
  readonly execute: (client: Client, request: HelperRequest, reply: (answer: HelperAnswer) => void) => Promise<void>;
  readonly connected?: (client: Client) => void;
  /** `reason`: an end the protocol has a name for, or the error of the socket. */
  readonly closed?: (client: Client, reason: CloseReason | SysError | "serviceEnds") => void;
  /** No connection can be accepted for now: the table of descriptors is full, or there are too many clients. */
  readonly turnedAway?: (why: string) => void;
  /** Nothing happens for the moment, or 10 ms are over since the last time: what can wait is done now. */
  readonly pause?: () => void;
  /** Commands that wait for others to end, and so for no turn of promises. */
  readonly waiting?: () => number;
  /** Files are being written, say: the runtime is to have its turn soon. */
  readonly inRuntime?: () => boolean;
  /** A defect: `execute` rejected. The client has been answered HARDWARE ERROR. */
  readonly defect?: (error: unknown) => void;
}
