/**
 * A scripted Nexus: exact CDBs in order, each with its canned reply. Leftovers and surprises fail on disposal.
 *
 *     using nexus = new FakeNexus([
 *       exchange("5e 00 00 00 00 00 00 20 00 00", good("0000002a 00000000")), // expects allocation length 8192
 *       exchange("5f 00 00 00 00 00 00 00 18 00", conflict(), { dataOut: "1122334455667788 ..." }),
 *     ]);
 *
 * Pure but for the clock. No double of `lib/`: it knows no SCSI beyond bytes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../lib/bytes.ts";
import type { CommandOptions, InitiatorHint, Nexus, Reply } from "../../lib/pr/nexus.ts";

/** What a canned exchange answers: a reply, or an error to reject with. */
export type Answer = Partial<Reply> | Error;

/** What else one exchange insists on. */
export interface Expectations {
  /** Data-out in hex; without it any data-out is taken. */
  readonly dataOut?: string;
  /** Allocation length handed to execute(); without it any is taken. */
  readonly allocationLength?: number;
  /** The command's timeout; without it any is taken. */
  readonly timeoutMs?: number;
  /** Milliseconds before the reply arrives; default 0. */
  readonly delayMs?: number;
}

/** One command and its answer. */
export interface Exchange extends Expectations {
  readonly cdb: string;
  readonly answer: Answer;
}

/** Says what the code under test must send, and what it gets for it. */
export function exchange(cdb: string, answer: Answer = good(), expectations: Expectations = {}): Exchange {
  return { cdb: spaced(cdb), answer, ...expectations };
}

/** Status GOOD with data-in (hex or bytes; spaces are for reading). */
export function good(dataIn: string | Uint8Array = ""): Answer {
  return { status: 0x00, dataIn: typeof dataIn === "string" ? fromHex(dataIn) : new Uint8Array(dataIn) };
}

/** CHECK CONDITION with these sense bytes. */
export function check(sense: string): Answer {
  return { status: 0x02, sense: fromHex(sense) };
}

/** CHECK CONDITION with 18 bytes of fixed-format sense: `senseOf(6, 0x2a, 5)` is "registrations preempted". */
export function senseOf(key: number, asc: number, ascq: number): Answer {
  const sense = new Uint8Array(18);
  sense.set([0x70, 0, key, 0, 0, 0, 0, 10]);
  sense.set([asc, ascq], 12);
  return { status: 0x02, sense };
}

/** RESERVATION CONFLICT. */
export function conflict(): Answer {
  return { status: 0x18 };
}

/** Any other SAM status: BUSY 08h, TASK SET FULL 28h, TASK ABORTED 40h. */
export function status(code: number): Answer {
  return { status: code };
}

/** A command whose fate the transport does not know: DID_* code, status meaningless. */
export function lostInTransport(hostStatus: number, driverStatus = 0): Answer {
  return { status: 0, hostStatus, driverStatus };
}

/** Plays a script. Disposal fails when an exchange was never used, or when something unscripted was sent. */
export class FakeNexus implements Nexus, Disposable {
  readonly address: string;
  readonly initiator: InitiatorHint | null;
  /** Every CDB received so far, as spaced hex. */
  readonly sent: string[] = [];
  /** How often close() was called. */
  closed = 0;
  readonly #script: readonly Exchange[];
  #at = 0;
  #mismatch: Error | null = null;

  constructor(
    script: readonly Exchange[],
    facts: { readonly address?: string; readonly initiator?: InitiatorHint | null } = {},
  ) {
    this.#script = script;
    this.address = facts.address ?? "fake:lun";
    this.initiator = facts.initiator ?? null;
  }

  async execute(cdb: Uint8Array, data: Uint8Array | number, options: CommandOptions = {}): Promise<Reply> {
    const got = toHex(cdb, " ");
    const number = this.#at + 1;
    this.sent.push(got);
    const wanted = this.#script[this.#at++];
    try {
      assert.equal(this.closed, 0, `command ${number} (${got}) was sent after close()`);
      assert.ok(wanted, `command ${number} (${got}) is not in the script, which ends after ${this.#script.length}`);
      assert.equal(got, wanted.cdb, `command ${number}`);
      if (wanted.dataOut !== undefined) {
        assert.notEqual(typeof data, "number", `command ${number} (${got}) came without data-out`);
        assert.equal(toHex(data as Uint8Array), spaced(wanted.dataOut).replaceAll(" ", ""), `data-out of ${number}`);
      }
      if (wanted.allocationLength !== undefined) assert.equal(data, wanted.allocationLength, `length of ${number}`);
      if (wanted.timeoutMs !== undefined) assert.equal(options.timeoutMs, wanted.timeoutMs, `timeout of ${number}`);
    } catch (error) {
      this.#mismatch ??= error as Error;
      throw error;
    }
    if (wanted.delayMs) await new Promise((resolve) => setTimeout(resolve, wanted.delayMs));
    if (wanted.answer instanceof Error) throw wanted.answer;
    const room = typeof data === "number" ? data : 0;
    const { dataIn = new Uint8Array(), sense = new Uint8Array(), status = 0, ...rest } = wanted.answer;
    return { ...rest, status, sense: sense.slice(), dataIn: dataIn.slice(0, room) };
  }

  close(): void {
    this.closed++;
  }

  /** Throws the first surprise met, even if the code under test swallowed it, or names the commands never sent. */
  [Symbol.dispose](): void {
    if (this.#mismatch) throw this.#mismatch;
    const left = this.#script.slice(this.#at).map((each) => each.cdb);
    assert.deepEqual(left, [], "these commands of the script were never sent");
  }
}

function spaced(hex: string): string {
  return toHex(fromHex(hex), " ");
}
