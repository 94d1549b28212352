/**
 * Rehearses a fencing on a simulated LUN: two nodes share it, one preempts the other, and the other finds out.
 *
 * Needs no permission at all:
 *
 *     deno run examples/fencing_rehearsal.ts
 *
 * @module
 */
import { formatKey, type Nexus, prOut, type PrOutRequest, readState } from "@prmig/prmig";
import { classify, describeOutcome } from "@prmig/prmig/scsi";
import { MemoryLun } from "@prmig/prmig/sim";

const lun = new MemoryLun();
const [berlin, paris] = [lun.nexus("berlin"), lun.nexus("paris")];
const WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5;

/** Sends a command and says how it ended. */
async function tell(who: string, nexus: Nexus, request: PrOutRequest): Promise<void> {
  const outcome = classify(await prOut(nexus, request));
  console.log(`${who}: ${request.action} -> ${describeOutcome(outcome)}`);
}

await tell("berlin", berlin, { action: "register", rk: 0n, sark: 0xb1n, aptpl: false });
await tell("paris", paris, { action: "register", rk: 0n, sark: 0xfan, aptpl: false });
await tell("berlin", berlin, { action: "reserve", rk: 0xb1n, type: WRITE_EXCLUSIVE_REGISTRANTS_ONLY });

// Paris is sure that Berlin is dead, and removes its key. It holds from then on, without a gap.
const fence = { action: "preempt", rk: 0xfan, sark: 0xb1n, type: WRITE_EXCLUSIVE_REGISTRANTS_ONLY } as const;
await tell("paris", paris, fence);

// Berlin was not dead. Its next command is answered with what happened; the one after it, with a conflict.
await tell("berlin", berlin, { action: "release", rk: 0xb1n, type: WRITE_EXCLUSIVE_REGISTRANTS_ONLY });
await tell("berlin", berlin, { action: "release", rk: 0xb1n, type: WRITE_EXCLUSIVE_REGISTRANTS_ONLY });

const { reservation } = await readState(paris);
console.log(`the LUN is held under ${formatKey(reservation!.key)}`);
