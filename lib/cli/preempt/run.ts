/**
 * `prmig preempt`: opens, preempts, and shows the LUN as it is afterwards.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { preempt, type Preempted } from "../../migrate/preempt.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { isOwn } from "../../pr/own.ts";
import { readIdentity } from "../../pr/read_identity.ts";
import { readCapabilities } from "../../pr/read_state.ts";
import { formatKey, type PrType, prTypeInfo, type Registration } from "../../pr/types.ts";
import type { CommandContext } from "../context.ts";
import { nodesOf } from "../dump/read.ts";
import { toRecord } from "../dump/record.ts";
import { dumpText } from "../dump/text.ts";
import { type OpenDevice, openDevice, traceOf } from "../open.ts";

/** What the command line asks for. */
export interface PreemptInput {
  readonly device: string;
  readonly key: bigint;
  readonly type: PrType;
  readonly ownKey: bigint | undefined;
  /** Milliseconds a command may take. */
  readonly timeout: number;
}

/** Preempts, and prints what is true then. Errors: PrmigError, as {@link preempt} has them. */
export async function runPreempt(input: PreemptInput, context: CommandContext): Promise<void> {
  const { device: address, timeout: timeoutMs } = input;
  const device = await openDevice(address, { writable: true, trace: traceOf(context), timeoutMs });
  try {
    await preemptThrough(firstPath(device), device, input, context);
  } finally {
    device.close();
  }
}

async function preemptThrough(
  nexus: Nexus,
  device: OpenDevice,
  { key, type, ownKey = null }: { key: bigint; type: PrType; ownKey?: bigint | null },
  { out, json, signal }: CommandContext,
): Promise<void> {
  const lun = await readIdentity(nexus);
  const capabilities = await readCapabilities(nexus);
  const own = (registration: Registration): boolean | null =>
    isOwn(registration, nexus.initiator, lun.relativeTargetPort);
  signal.throwIfAborted(); // the last moment at which an interrupt leaves the LUN as it was
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const done = await preempt({ device: device.address, key, type, ownKey }, { nexus, isOwn: own, sleep });
  const nodes = nodesOf(device);
  const record = toRecord({ device: device.address, nodes, lun, state: done.after, isOwn: own, capabilities });
  if (json) out.json({ preempted: preempted(done), ...record });
  else out.line(`${summary(done)}\n\n${dumpText(record, out.colour, out.columns)}`);
}

/** For programs: what was removed, and what was taken. */
function preempted({ plan }: Preempted): Record<string, unknown> {
  return {
    key: formatKey(plan.sark),
    registrations: plan.victims,
    ownKey: formatKey(plan.rk),
    tookReservation: plan.takesReservation,
  };
}

function summary({ plan, after }: Preempted): string {
  const removed = `${formatKey(plan.sark)} is no longer registered (${plan.victims} registration${
    plan.victims === 1 ? "" : "s"
  } removed)`;
  if (plan.takesReservation) {
    return `${removed}; this nexus holds ${prTypeInfo(plan.type)!.name} under ${formatKey(plan.rk)}`;
  }
  return `${removed}; ${after.reservation === null ? "there is no reservation" : "the reservation is as it was"}`;
}

/** Of several paths the operator has to choose: each is a nexus with a registration of its own. */
function firstPath({ address, paths }: OpenDevice): Nexus {
  const [first, ...rest] = paths;
  if (rest.length === 0) return first!;
  throw new PrmigError("refused", {
    message: `Cannot preempt through ${address}: it has ${paths.length} paths, each a nexus of its own`,
    device: address,
    lun: "unchanged: no command was sent",
    remedy: `name the path that is to hold: prmig preempt ${first!.address} ...`,
  });
}
