/**
 * Trouble at the nth command: wraps any Nexus and misbehaves where told to, once or a few times in a row.
 *
 *     const nexus = faulty(lun.nexus("A"), [{ at: 2, fault: "timeoutDone" }, { at: 5, fault: "busy", times: 3 }]);
 *
 * Commands are counted from 0, as the wrapped nexus would have got them: a repeated command counts again.
 *
 * @module
 */
import type { CommandOptions, Nexus, Reply } from "../../lib/pr/nexus.ts";

/** What goes wrong. Only `timeoutDone` and `shortData` let the command through to the device. */
export type Fault =
  /** 06/29/00, command not executed. */
  | "unitAttention"
  /** BUSY, not executed. */
  | "busy"
  /** TASK SET FULL, not executed. */
  | "taskSetFull"
  /** RESERVATION CONFLICT, not executed. */
  | "conflict"
  /** The transport gave up: host byte TIME_OUT; the command was executed all the same. */
  | "timeoutDone"
  /** The transport gave up and the command never arrived. */
  | "timeoutNotDone"
  /** Executed; half of the data-in is lost on the way. */
  | "shortData"
  /** CHECK CONDITION with bytes that are no sense data; not executed. */
  | "garbageSense"
  /** The system call failed: rejects with `error`, or with an Error that says so. */
  | "error";

/** One piece of trouble. */
export interface FaultAt {
  /** Number of the command, from 0; of those that match `opcode` where that is given. */
  readonly at: number;
  readonly fault: Fault;
  /** How many commands in a row; 1 by default. */
  readonly times?: number;
  /** Count only commands with this operation code. */
  readonly opcode?: number;
  /** For `error`. */
  readonly error?: Error;
}

/** A Nexus with trouble ahead. */
export interface FaultyNexus extends Nexus {
  /** Commands received so far: CDB, and the fault it met. */
  readonly seen: readonly { readonly cdb: Uint8Array; readonly fault: Fault | null }[];
}

const DID_TIME_OUT = 0x03;
const DRIVER_TIMEOUT = 0x06;
const NONE = new Uint8Array(0);
const POWER_ON_OR_RESET = Uint8Array.of(0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0x00, 0, 0, 0, 0);
const GARBAGE = Uint8Array.of(0x5a, 0xa5, 0xff, 0x00, 0x13);

/** Wraps a nexus; what no fault is planned for passes through. */
export function faulty(nexus: Nexus, plan: readonly FaultAt[]): FaultyNexus {
  const seen: { readonly cdb: Uint8Array; readonly fault: Fault | null }[] = [];
  const counts = new Map<FaultAt, number>();
  const next = (cdb: Uint8Array): FaultAt | null => {
    let found: FaultAt | null = null;
    for (const each of plan) {
      if (each.opcode !== undefined && each.opcode !== cdb[0]) continue;
      const count = counts.get(each) ?? 0;
      counts.set(each, count + 1);
      if (count >= each.at && count < each.at + (each.times ?? 1)) found ??= each;
    }
    return found;
  };
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    seen,
    close: () => nexus.close(),
    execute: (cdb, data, options) => {
      const planned = next(cdb);
      seen.push({ cdb: cdb.slice(), fault: planned?.fault ?? null });
      return planned === null ? nexus.execute(cdb, data, options) : misbehave(nexus, planned, cdb, data, options);
    },
  };
}

async function misbehave(
  nexus: Nexus,
  { fault, error }: FaultAt,
  cdb: Uint8Array,
  data: Uint8Array | number,
  options?: CommandOptions,
): Promise<Reply> {
  switch (fault) {
    case "unitAttention":
      return { status: 0x02, sense: POWER_ON_OR_RESET.slice(), dataIn: NONE };
    case "busy":
      return { status: 0x08, sense: NONE, dataIn: NONE };
    case "taskSetFull":
      return { status: 0x28, sense: NONE, dataIn: NONE };
    case "conflict":
      return { status: 0x18, sense: NONE, dataIn: NONE };
    case "timeoutDone":
      await nexus.execute(cdb, data, options);
      return timedOut();
    case "timeoutNotDone":
      return timedOut();
    case "shortData": {
      const reply = await nexus.execute(cdb, data, options);
      return { ...reply, dataIn: reply.dataIn.slice(0, Math.floor(reply.dataIn.length / 2)) };
    }
    case "garbageSense":
      return { status: 0x02, sense: GARBAGE.slice(), dataIn: NONE };
    case "error":
      throw error ?? new Error(`injected: ${nexus.address} is gone`);
  }
}

function timedOut(): Reply {
  return { status: 0, sense: NONE, dataIn: NONE, hostStatus: DID_TIME_OUT, driverStatus: DRIVER_TIMEOUT };
}
