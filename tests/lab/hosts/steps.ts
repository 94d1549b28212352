/**
 * Reads PERSISTENT RESERVE OUT commands and their answers off the wire, so that a test can cut the power exactly before
 * one, or between it and its answer. Pure.
 *
 *     basic header segment 48 | additional segments | data, padded to 4      | ...
 *     opcode 0, lengths 4..7, task tag 16..19, CDB 32..47 (command), status 3 (response)
 *
 * Source: RFC 7143, "SCSI Command" and "SCSI Response".
 *
 * @module
 */
import { prOutActionName } from "../../../lib/pr/cdb.ts";
import { type Stream, Wire } from "./wire.ts";

const ISCSI_PORT = 3260;
const HEADER_BYTES = 48;
const LIST_BYTES = 24;
const OPCODE = { command: 0x01, response: 0x21 };
const PR_OUT = 0x5f;

/** A command on its way to the target, or its answer on the way back. */
export interface WireStep {
  readonly kind: "sent" | "answered";
  /** Whose command it is: 10.0.0.2. */
  readonly initiator: string;
  /** "REGISTER": the service action. */
  readonly action: string;
  readonly rk: bigint;
  readonly sark: bigint;
  /** SCSI status of an answer; 0 for a command. */
  readonly status: number;
}

/** Recognises answers by the task tags of the commands that it has seen. */
export class StepReader {
  readonly #wire = new Wire();
  readonly #asked = new Map<string, WireStep>();

  /** Steps that this frame completes. */
  read(frame: Uint8Array): WireStep[] {
    const stream = this.#wire.add(frame);
    if (stream === null) return [];
    const fromTarget = stream.sourcePort === ISCSI_PORT;
    if (!fromTarget && stream.destinationPort !== ISCSI_PORT) {
      stream.pending = new Uint8Array();
      return [];
    }
    return [...units(stream)].flatMap((unit) => this.#step(unit, stream, fromTarget) ?? []);
  }

  #step(unit: Uint8Array, stream: Stream, fromTarget: boolean): WireStep | null {
    const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
    const opcode = view.getUint8(0) & 0x3f;
    const tag = `${fromTarget ? stream.back : stream.name} ${view.getUint32(16)}`;
    if (fromTarget) {
      const asked = this.#asked.get(tag);
      if (opcode !== OPCODE.response || asked === undefined) return null;
      this.#asked.delete(tag);
      return { ...asked, kind: "answered", status: view.getUint8(3) };
    }
    const list = HEADER_BYTES + view.getUint8(4) * 4;
    if (opcode !== OPCODE.command || view.getUint8(32) !== PR_OUT || unit.length < list + LIST_BYTES) return null;
    const step = {
      kind: "sent",
      initiator: stream.sourceAddress,
      action: prOutActionName(view.getUint8(33) & 0x1f),
      rk: view.getBigUint64(list),
      sark: view.getBigUint64(list + 8),
      status: 0,
    } as const;
    this.#asked.set(tag, step);
    return step;
  }
}

/** Takes every protocol data unit that is there whole. */
function* units(stream: Stream): Generator<Uint8Array> {
  for (;;) {
    const { pending } = stream;
    if (pending.length < HEADER_BYTES) return;
    const lengths = new DataView(pending.buffer, pending.byteOffset).getUint32(4);
    const bytes = HEADER_BYTES + (lengths >>> 24) * 4 + ((lengths & 0xffffff) + 3 & ~3);
    if (pending.length < bytes) return;
    stream.pending = pending.slice(bytes);
    yield pending.subarray(0, bytes);
  }
}
