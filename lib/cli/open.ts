/**
 * From the address a person types to nexuses that are ready to be used: opened, patient, traced, and read-only where
 * nothing may be changed.
 *
 *     command -> readOnly -> patient (waits out unit attentions, BUSY) -> traced (-v) -> time limit -> SG_IO or simulated
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { describeCommand, traced } from "../pr/describe.ts";
import type { Nexus } from "../pr/nexus.ts";
import { patient, type Retry } from "../pr/patient.ts";
import { readOnly } from "../pr/read_only.ts";
import { describeOutcome } from "../scsi/outcome.ts";
import { openSgDevice } from "../sg/device.ts";
import { resolveAddress } from "../sg/discover.ts";
import { openSimNexus } from "../sim/open.ts";
import type { CommandContext } from "./context.ts";

/** How to open. */
export interface OpenChoices {
  /** Whether a PERSISTENT RESERVE OUT will be sent. `false`: it is refused here, and the node is opened read-only. */
  readonly writable: boolean;
  /** Gets a line for every command and every retry; null for silence. */
  readonly trace: ((line: string) => void) | null;
  /** Milliseconds a command may take. Without it lib/sg decides. */
  readonly timeoutMs?: number;
  /** `false`: unit attentions and BUSY are handed on, for those who want to see them. Default true. */
  readonly patient?: boolean;
  /** Told before every repeat of a command, say because of a unit attention. */
  readonly onRetry?: (retry: Retry) => void;
}

/** A device, opened. */
export interface OpenDevice {
  /** As the user named it. */
  readonly address: string;
  /** One a path; one in all unless the address is a multipath map. */
  readonly paths: readonly Nexus[];
  /** Names of the node, by sysfs; null for a simulated LUN. Of a map: those of its first path. */
  readonly node: { readonly block: string | null; readonly sg: string | null; readonly hctl: string | null } | null;
  /** Name of the multipath map. */
  readonly multipath: string | null;
  /** Paths of a map that could not be opened, when reading; opening for writing fails instead. */
  readonly unusable: readonly PrmigError[];
  close(): void;
}

/** The trace of a command line: every line on stderr with -v, nothing without. */
export function traceOf({ verbose, err }: CommandContext): OpenChoices["trace"] {
  return verbose ? (line) => err.line(err.colour.faint(line)) : null;
}

/**
 * Opens what an address names. Sends no command.
 *
 * Rejects with PrmigError: `usage` for what is no address, `device` for what cannot be opened.
 */
export async function openDevice(address: string, choices: OpenChoices): Promise<OpenDevice> {
  if (address.startsWith("sim:")) return openSim(address, choices);
  refuseNonsense(address);
  const { paths, multipath } = resolveAddress(address);
  const opened: Nexus[] = [];
  const unusable: PrmigError[] = [];
  const close = (): void => opened.forEach((nexus) => nexus.close());
  for (const path of paths) {
    try {
      opened.push(prepared(await openSgDevice(path, choices), choices));
    } catch (error) {
      if (error instanceof PrmigError && multipath !== null && !choices.writable) {
        unusable.push(error);
        continue;
      }
      close();
      throw error;
    }
  }
  if (opened.length === 0) throw unusable[0]!;
  const { block, sg, hctl } = paths[0]!;
  return { address, paths: opened, node: { block, sg, hctl }, multipath, unusable, close };
}

async function openSim(address: string, choices: OpenChoices): Promise<OpenDevice> {
  const nexus = prepared(await openSimNexus(address), choices);
  return { address, paths: [nexus], node: null, multipath: null, unusable: [], close: () => nexus.close() };
}

function prepared(nexus: Nexus, choices: OpenChoices): Nexus {
  const { writable, trace, timeoutMs } = choices;
  const limited = timeoutMs === undefined ? nexus : timeLimited(nexus, timeoutMs);
  const shown = trace ? traced(limited, trace) : limited;
  const waiting = choices.patient ?? true ? waitingOut(shown, choices) : shown;
  return writable ? waiting : readOnly(waiting);
}

function waitingOut(nexus: Nexus, { trace, timeoutMs, onRetry }: OpenChoices): Nexus {
  return patient(nexus, {
    deadlineMs: timeoutMs,
    onRetry: (retry) => {
      const { address, cdb, outcome, attempt, pauseMs } = retry;
      trace?.(
        `${address}: ${describeOutcome(outcome)}: sending ${describeCommand(cdb)} again, attempt ${attempt + 1}` +
          (pauseMs > 0 ? `, in ${pauseMs} ms` : ""),
      );
      onRetry?.(retry);
    },
  });
}

function timeLimited(nexus: Nexus, timeoutMs: number): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: (cdb, data, options) => nexus.execute(cdb, data, { timeoutMs, ...options }),
    close: () => nexus.close(),
  };
}

/** Throws PrmigError `usage` for a word that cannot be an address, before the file system is asked for it. */
export function refuseNonsense(address: string): void {
  const kind = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1];
  if (kind !== undefined && !exists(address)) {
    throw nonsense(`there is no kind of address "${kind}:"; simulated LUNs are sim:FILE?nexus=NAME`);
  }
  if (!address.includes("/") && !exists(address)) {
    const meant = exists(`/dev/${address}`) ? `; did you mean /dev/${address}?` : "";
    throw nonsense(`"${address}" is no device address${meant}`);
  }
}

function nonsense(message: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy: "prmig help addresses" });
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    return true; // it is there, or cannot be looked at: opening it will say which
  }
}
