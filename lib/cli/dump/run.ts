/**
 * `prmig dump`: several devices at once, shown in the order they were named; one that fails does not hide the others.
 *
 * @module
 */
import { EXIT, PrmigError } from "../../errors.ts";
import { listDisks } from "../../sg/discover.ts";
import { CALLS_AT_ONCE } from "../../sys/calls.ts";
import type { CommandContext } from "../context.ts";
import { openDevice, traceOf } from "../open.ts";
import { runDirectory } from "../run_directory.ts";
import { present } from "../present.ts";
import { readDump } from "./read.ts";
import type { DumpRecord } from "./record.ts";
import { snoopedFiles, withSnooped } from "./snooped.ts";
import { dumpText } from "./text.ts";

/** What the command line asks for. */
export interface DumpInput {
  readonly devices: readonly string[];
  /** Every SCSI disk of this host. */
  readonly all: boolean;
  /** Milliseconds a command may take. */
  readonly timeout: number;
}

/** Devices read at the same time: as many as there may be system calls. A dead one takes its timeout and no more. */
const AT_ONCE = CALLS_AT_ONCE;

/** Resolves with the exit code: that of the first device that failed, else 0. */
export async function runDump(input: DumpInput, context: CommandContext): Promise<number> {
  const { devices, all } = input;
  if (devices.length === 0 && !all) throw usage("DEV is missing: name a device, or --all for every SCSI disk");
  if (devices.length > 0 && all) throw usage("--all means every disk; leave out the names, or leave out --all");
  const addresses = all ? everyDisk() : devices;
  const { json, out } = context;
  const runIn = runDirectory(context.env);
  const snooped = snoopedFiles(runIn);
  const read = async (address: string): Promise<DumpRecord | PrmigError> => {
    try {
      return withSnooped(await readOne(address, input, context), runIn, snooped);
    } catch (error) {
      if (error instanceof PrmigError) return error;
      throw error;
    }
  };
  let shown = 0;
  let exitCode: number = EXIT.ok;
  for await (const result of inOrder(addresses, read)) {
    if (result instanceof PrmigError) {
      const failed = reportFailure(result, context);
      exitCode ||= failed;
      continue;
    }
    if (json) out.json(result);
    else out.line((shown > 0 ? "\n" : "") + dumpText(result, out.colour, out.columns));
    shown++;
  }
  if (all && shown === 0 && exitCode === EXIT.ok) context.err.line("this host has no SCSI disks");
  // A host has disks that know nothing of reservations; --all names them, and fails only when there is nothing else.
  return all && shown > 0 && exitCode === EXIT.device ? EXIT.ok : exitCode;
}

async function readOne(address: string, input: DumpInput, context: CommandContext): Promise<DumpRecord> {
  const device = await openDevice(address, { writable: false, trace: traceOf(context), timeoutMs: input.timeout });
  try {
    return await readDump(device);
  } finally {
    device.close();
  }
}

function reportFailure(error: PrmigError, { err, json }: CommandContext): number {
  const { stderr, exitCode } = present(error, { json, colour: err.colour, changesLun: false });
  err.line(stderr);
  return exitCode;
}

/** One address a disk: a map stands for its paths. */
function everyDisk(): string[] {
  return [
    ...new Set(listDisks().map(({ multipath, address }) => multipath === null ? address : `/dev/mapper/${multipath}`)),
  ];
}

/** Results in the order of the items, with a few of them under way at a time. */
async function* inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  for (let next = 0, done = 0; done < items.length; done++) {
    while (next < items.length && next - done < AT_ONCE) {
      const started = work(items[next++]!);
      started.catch(() => {}); // it is awaited below, in its turn
      running.push(started);
    }
    yield await running.shift()!;
  }
}

function usage(message: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy: "prmig dump --help" });
}
