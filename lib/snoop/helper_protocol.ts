/**
 * The pr-helper wire protocol: bytes in, requests out; answers in, bytes out. Pure; descriptors are mere numbers here.
 *
 *     helper  -> client  4   supported features (0)
 *     client  -> helper  4   requested features (must be 0)
 *     client  -> helper  16  CDB, zero padded, with exactly one descriptor as SCM_RIGHTS
 *     client  -> helper  N   parameter list, only for opcode 5Fh, N = bytes 7..8 of the CDB
 *     helper  -> client  104 status u32 | payload size u32 | sense 96
 *     helper  -> client  size parameter data, only for 5Eh and GOOD
 *
 * The client asserts on the payload size: one byte too many, or any for a PR OUT, ends the virtual machine. So a reply is
 * cut to what the request allows, and read back before it leaves. And a connection closed in mid-command reaches
 * the guest as "not supported": what ends a connection is the list of {@link CloseReason} and nothing else.
 *
 * @module
 */
import { assertReads } from "./reply_check.ts";
import type { Bytes } from "../bytes.ts";

/** Sizes on the wire. */
export const WIRE = { features: 4, cdb: 16, sense: 96, replyHeader: 104, maxData: 8192 } as const;

/** Operation codes that are let through. */
export const PR_IN = 0x5e;
export const PR_OUT = 0x5f;

/** Why a connection ends. `null` in {@link CLOSE_MESSAGES}: an ordinary end, nothing to report. */
export type CloseReason =
  | "endOfFile"
  | "endOfFileInRequest"
  | "features"
  | "descriptors"
  | "noDescriptor"
  | "opcode"
  | "tooLong";

/** What the log says about each end. */
export const CLOSE_MESSAGES: Record<CloseReason, string | null> = {
  endOfFile: null,
  endOfFileInRequest: "the client went away in the middle of a request",
  features: "the client asks for features that do not exist",
  descriptors: "more than one file descriptor in a request",
  noDescriptor: "no file descriptor in request",
  opcode: "a command that is neither PERSISTENT RESERVE IN nor OUT",
  tooLong: "a parameter list or allocation length above 8192 bytes",
};

/** One command of a client. Whoever gets it owns `descriptor`. */
export interface HelperRequest {
  readonly cdb: Bytes;
  /** Parameter list of a PR OUT; empty for a PR IN. */
  readonly parameters: Bytes;
  readonly descriptor: number;
}

/** What a command came to. */
export interface HelperAnswer {
  readonly status: number;
  /** At most 96 bytes; fewer are filled up with zeros. */
  readonly sense: Uint8Array;
  /** Parameter data of a PR IN. */
  readonly data: Uint8Array;
}

/** What to do after some bytes. On `close`, `descriptors` are to be closed with the connection. */
export type Step =
  | { readonly kind: "more" }
  | { readonly kind: "execute"; readonly request: HelperRequest }
  | { readonly kind: "close"; readonly reason: CloseReason; readonly descriptors: readonly number[] };

/** The greeting: no features. */
export function encodeGreeting(): Bytes {
  return new Uint8Array(WIRE.features);
}

/** Bytes 7..8 of the CDB: allocation length or parameter list length. Bytes 5..6 count for nothing in this protocol. */
export function transferLength(cdb: Uint8Array): number {
  return (cdb[7]! << 8) | cdb[8]!;
}

/**
 * The reply to a command. Data beyond what the protocol permits (not a PR IN, not GOOD, beyond the allocation length)
 * is left out. Throws `ReadBackError` if the bytes do not say what was meant, and `RangeError` for a status that is no
 * byte or more than 96 bytes of sense. `into`: the longest reply's worth of memory, which may be used again and again.
 */
export function encodeReply(
  cdb: Uint8Array,
  answer: HelperAnswer,
  into: Bytes = new Uint8Array(WIRE.replyHeader + WIRE.maxData),
): Bytes {
  const { status, sense } = answer;
  if (status < 0 || status > 0xff) throw new RangeError(`${status} is no SCSI status`);
  if (sense.length > WIRE.sense) throw new RangeError(`${sense.length} bytes of sense do not fit the reply`);
  const room = cdb[0] === PR_IN && status === 0 ? Math.min(transferLength(cdb), WIRE.maxData) : 0;
  const data = answer.data.length > room ? answer.data.subarray(0, room) : answer.data;
  const bytes = into.subarray(0, WIRE.replyHeader + data.length).fill(0, 0, WIRE.replyHeader);
  bytes[3] = status;
  bytes[6] = data.length >> 8;
  bytes[7] = data.length & 0xff;
  bytes.set(sense, 8);
  bytes.set(data, WIRE.replyHeader);
  assertReads(bytes, cdb, { status, sense, data });
  return bytes;
}

type Stage = "features" | "cdb" | "parameters" | "executing" | "ended";

const NOTHING: Bytes = new Uint8Array(0);

/** One connection's part in the protocol. Fragments may be cut anywhere; two descriptors may not arrive at all. */
export class HelperConversation {
  #stage: Stage = "features";
  #buffer: Bytes = new Uint8Array(WIRE.features);
  #have = 0;
  #cdb: Bytes = NOTHING;
  #descriptor: number | null = null;

  /** How many bytes to read next at most, and whether descriptors may come along; `null`: do not read now. */
  get wants(): { readonly bytes: number; readonly descriptors: boolean } | null {
    if (this.#stage === "executing" || this.#stage === "ended") return null;
    return { bytes: this.#buffer.length - this.#have, descriptors: this.#stage === "cdb" };
  }

  /** True between two requests: nothing is lost when the connection ends here. */
  get idle(): boolean {
    return this.#stage === "features" || (this.#stage === "cdb" && this.#have === 0 && this.#descriptor === null);
  }

  /**
   * Takes bytes (never more than {@link wants}) and the descriptors that came with them.
   * `surplus`: the kernel dropped further descriptors for want of room.
   */
  receive(bytes: Uint8Array, descriptors: readonly number[] = [], surplus = false): Step {
    const wants = this.wants;
    if (!wants || bytes.length > wants.bytes) throw new RangeError(`${bytes.length} bytes that nobody asked for`);
    const [first, ...others] = descriptors;
    if (first !== undefined) {
      if (this.#descriptor !== null || others.length > 0 || surplus) return this.#close("descriptors", descriptors);
      this.#descriptor = first;
    } else if (surplus) return this.#close("descriptors");
    this.#buffer.set(bytes, this.#have);
    this.#have += bytes.length;
    return this.#have < this.#buffer.length ? { kind: "more" } : this.#complete();
  }

  /** The peer will send no more. */
  endOfFile(): Step {
    return this.#close(this.idle ? "endOfFile" : "endOfFileInRequest");
  }

  /** The answer has left (or waits in the socket's buffer): the next request may be read. */
  replied(): void {
    if (this.#stage !== "executing") throw new RangeError("there is no request to reply to");
    this.#expect("cdb", WIRE.cdb);
  }

  #complete(): Step {
    switch (this.#stage) {
      case "features":
        if (this.#buffer.some((byte) => byte !== 0)) return this.#close("features");
        this.#expect("cdb", WIRE.cdb);
        return { kind: "more" };
      case "cdb":
        return this.#examine(this.#buffer);
      default:
        return this.#execute(this.#buffer);
    }
  }

  /** The order of these checks is the stock program's; it decides which message a client's defect gets. */
  #examine(cdb: Bytes): Step {
    if (this.#descriptor === null) return this.#close("noDescriptor");
    if (cdb[0] !== PR_IN && cdb[0] !== PR_OUT) return this.#close("opcode");
    const length = transferLength(cdb);
    if (length > WIRE.maxData) return this.#close("tooLong");
    this.#cdb = cdb;
    if (cdb[0] === PR_IN || length === 0) return this.#execute(NOTHING);
    this.#expect("parameters", length);
    return { kind: "more" };
  }

  #execute(parameters: Bytes): Step {
    const request = { cdb: this.#cdb, parameters, descriptor: this.#descriptor! };
    this.#descriptor = null;
    this.#stage = "executing";
    return { kind: "execute", request };
  }

  #expect(stage: Stage, bytes: number): void {
    this.#stage = stage;
    this.#buffer = new Uint8Array(bytes);
    this.#have = 0;
  }

  #close(reason: CloseReason, arrived: readonly number[] = []): Step {
    const held = this.#descriptor === null ? [] : [this.#descriptor];
    this.#descriptor = null;
    this.#stage = "ended";
    return { kind: "close", reason, descriptors: [...held, ...arrived] };
  }
}
