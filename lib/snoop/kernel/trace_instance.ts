/**
 * A trace instance of our own: made, armed, and taken down again without a trace.
 *
 *     mkdir instance -> open trace_pipe -> clock, buffer -> four dispatch events (filter, enable)
 *                    -> nine probes, each: define (global), filter, enable (ours alone)
 *     close trace_pipe -> rmdir instance -> delete the probes
 *
 * trace_pipe is opened first because an instance that is being read cannot be removed: no sweep of another prmig can
 * take it away. Filters are set before their events are enabled, so that nothing but what was asked for is ever
 * recorded. Other instances and other people's probes are not touched.
 *
 * @module
 */
import { type DeviceOffsets, type Probe, probeDefinition, probeFilter, PROBES } from "./probes.ts";
import { groupName, instanceName, type ProcessIdentity, sweep, type Swept } from "./sweep.ts";
import { attempt, codeOf, type TraceFiles } from "./trace_files.ts";
import { explainFailure, KernelUnavailable } from "./unavailable.ts";

/** What is wanted of an instance. */
export interface ArmRequest {
  readonly identity: ProcessIdentity;
  /** `host:channel:id:lun` of every path watched. */
  readonly addresses: readonly string[];
  /** Kernel device numbers of all their nodes. */
  readonly devices: readonly number[];
  /** Where the device number is found, or `null`: probes then report all devices. */
  readonly offsets: DeviceOffsets | null;
  /** Also record other commands that end in a conflict or a check condition. */
  readonly hints: boolean;
  /** Processors that may have a buffer each. */
  readonly processors: number;
}

/** The pipe as far as it is needed here. */
export interface Pipe {
  close(): void;
}

/** What the instance stands in; a test makes its own. */
export interface TraceHost<P extends Pipe> {
  readonly files: TraceFiles;
  readonly openPipe: (path: string) => Promise<P>;
  readonly isAlive?: (who: ProcessIdentity) => boolean;
  /** Contents of /sys/kernel/security/lockdown; `null` when there is none. */
  readonly lockdown: () => string | null;
  readonly isRoot: () => boolean;
  /** Waits, holding up the program: closing has to be done by the time it returns. */
  readonly pause: (ms: number) => void;
}

/** A probe that could not be armed, and why. */
export interface MissingProbe {
  readonly probe: Probe;
  readonly code: string;
}

/** Where tracefs may be, the likelier first. */
export const TRACEFS_ROOTS: readonly string[] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

const EVENTS = ["start", "done", "error", "timeout"] as const;
/** Memory for all buffers together, and the bounds of one, in KiB. */
const ALL_BUFFERS_KIB = 8192, LEAST_BUFFER_KIB = 64, MOST_BUFFER_KIB = 1024;
/** Beyond this a filter would not fit the page the kernel takes it in. */
const MOST_FILTERED_ADDRESSES = 40;
const PR_OUT = "opcode == 0x5f";
const REMOVE_TRIES = 100, REMOVE_PAUSE_MS = 2;

/** The first of the places where tracefs is really mounted. Throws {@link KernelUnavailable}. */
export function findTracefs(
  host: Pick<TraceHost<Pipe>, "files" | "lockdown" | "isRoot">,
  roots = TRACEFS_ROOTS,
): string {
  let refusal: string | null = null;
  for (const root of roots) {
    try {
      if (host.files.list(root).includes("instances")) return root;
    } catch (error) {
      const code = codeOf(error);
      if (code !== "ENOENT" && code !== "ENOTDIR") refusal ??= code;
    }
  }
  if (refusal !== null) throw explainFailure(`list ${roots[0]}`, refusal, host.lockdown(), host.isRoot());
  if (host.lockdown()?.includes("[confidentiality]")) {
    throw explainFailure("find tracefs", "EPERM", host.lockdown(), host.isRoot());
  }
  if (isBuiltWithout(host.files)) {
    throw new KernelUnavailable(
      "this kernel was built without tracing",
      "boot a kernel with tracing (CONFIG_FTRACE)",
    );
  }
  throw new KernelUnavailable(
    `tracefs is not mounted at ${roots.join(" or ")}`,
    `mount -t tracefs tracefs ${roots[0]}`,
  );
}

/** Whether the kernel lists its file systems and tracefs is not among them: then there is nothing to mount. */
function isBuiltWithout(files: TraceFiles): boolean {
  try {
    return !/\ttracefs$/m.test(files.read("/proc/filesystems"));
  } catch (error) {
    codeOf(error);
    return false;
  }
}

/** One armed instance. */
export class TraceInstance<P extends Pipe> {
  readonly #armed: Probe[] = [];
  readonly #missing: MissingProbe[] = [];
  readonly #warnings: string[] = [];
  #pipe: P | undefined;
  #made = false;
  #closed = false;

  private constructor(
    private readonly host: TraceHost<P>,
    private readonly root: string,
    private readonly request: ArmRequest,
    /** What dead processes had left behind, removed at the start. */
    readonly swept: Swept,
  ) {}

  /** Makes and arms an instance below `root`. Throws {@link KernelUnavailable}, and leaves nothing behind then. */
  static async arm<P extends Pipe>(host: TraceHost<P>, root: string, request: ArmRequest): Promise<TraceInstance<P>> {
    const instance = new TraceInstance(host, root, request, sweep(host.files, root, host.isAlive));
    try {
      await instance.#make();
      instance.#events();
      for (const probe of PROBES) instance.#probe(probe);
      return instance;
    } catch (error) {
      instance.close();
      throw error;
    }
  }

  get directory(): string {
    return `${this.root}/instances/${instanceName(this.request.identity)}`;
  }
  get group(): string {
    return groupName(this.request.identity);
  }
  get pipe(): P {
    return this.#pipe!;
  }
  /** Probes that are armed, in the order of {@link PROBES}. */
  get probes(): readonly Probe[] {
    return this.#armed;
  }
  get missing(): readonly MissingProbe[] {
    return this.#missing;
  }
  /** Settings that could not be made and that are not essential. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  async #make(): Promise<void> {
    const { files, openPipe } = this.host;
    this.#must(`mkdir ${this.directory}`, () => files.makeDirectory(this.directory));
    this.#made = true;
    const pipe = `${this.directory}/trace_pipe`;
    try {
      this.#pipe = await openPipe(pipe);
    } catch (error) {
      throw this.#failure(`open ${pipe}`, codeOf(error), error);
    }
    this.#must("trace_clock", () => files.write(`${this.directory}/trace_clock`, "mono"));
    this.#must("options/overwrite", () => files.write(`${this.directory}/options/overwrite`, "1"));
    this.#may("options/record-tgid", "1");
    const kib = Math.floor(ALL_BUFFERS_KIB / Math.max(1, this.request.processors));
    this.#may("buffer_size_kb", String(Math.min(MOST_BUFFER_KIB, Math.max(LEAST_BUFFER_KIB, kib))));
    this.#must("tracing_on", () => files.write(`${this.directory}/tracing_on`, "1"));
  }

  #events(): void {
    const { files } = this.host;
    for (const event of EVENTS) {
      const directory = `${this.directory}/events/scsi/scsi_dispatch_cmd_${event}`;
      const filter = eventFilter(event, this.request, () => files.read(`${directory}/format`));
      this.#must(`${directory}/filter`, () => files.write(`${directory}/filter`, filter));
      this.#must(`${directory}/enable`, () => files.write(`${directory}/enable`, "1"));
    }
  }

  #probe(probe: Probe): void {
    const { files } = this.host;
    const directory = `${this.directory}/events/${this.group}/${probe.name}`;
    const definition = probeDefinition(this.group, probe, this.request.offsets);
    const refused = attempt(() => files.write(`${this.root}/kprobe_events`, definition + "\n"));
    if (refused !== null && refused !== "EEXIST") {
      this.#missing.push({ probe, code: refused });
      return;
    }
    this.#armed.push(probe); // from here on it has to be deleted
    const filter = probeFilter(probe, this.#probeDevices());
    const code = attempt(() => {
      if (filter !== "") files.write(`${directory}/filter`, filter);
      files.write(`${directory}/enable`, "1");
    });
    if (code === null) return;
    this.#armed.pop();
    this.#missing.push({ probe, code });
    this.#deleteProbe(probe);
  }

  /** Takes the device condition away from the probes: what is left is "a PERSISTENT RESERVE OUT, on any device". */
  dropDeviceFilters(): void {
    for (const probe of this.#armed) {
      const filter = `${this.directory}/events/${this.group}/${probe.name}/filter`;
      // Writing 0 removes a filter.
      this.#may(filter.slice(this.directory.length + 1), probe.filter === "" ? "0" : probe.filter);
    }
  }

  /** Whether the instance is still there and recording. */
  isRecording(): boolean {
    try {
      return this.host.files.read(`${this.directory}/tracing_on`).trim() === "1";
    } catch (error) {
      codeOf(error);
      return false;
    }
  }

  /** Leaves a line in the trace, which wakes the reader. Throws an error with a `code`. */
  mark(text: string): void {
    this.host.files.write(`${this.directory}/trace_marker`, text + "\n");
  }

  /** Takes everything down; what could not be removed is left to the next sweep. Synchronous, safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { files, pause } = this.host;
    this.#pipe?.close();
    if (this.#made) {
      // A poll on another thread holds the pipe for a moment after it was closed.
      for (let left = REMOVE_TRIES; left > 0; left--) {
        if (attempt(() => files.removeDirectory(this.directory)) !== "EBUSY") break;
        pause(REMOVE_PAUSE_MS);
      }
    }
    for (const probe of this.#armed) this.#deleteProbe(probe);
  }

  #deleteProbe(probe: Probe): void {
    attempt(() => this.host.files.write(`${this.root}/kprobe_events`, `-:${this.group}/${probe.name}\n`));
  }

  #probeDevices(): readonly number[] {
    const { offsets, devices } = this.request;
    return offsets && devices.length <= MOST_FILTERED_ADDRESSES * 2 ? devices : [];
  }

  #must(step: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      throw this.#failure(step, codeOf(error), error);
    }
  }

  #may(file: string, text: string): void {
    const code = attempt(() => this.host.files.write(`${this.directory}/${file}`, text));
    if (code !== null) this.#warnings.push(`cannot set ${file} to ${text}: ${code}`);
  }

  #failure(step: string, code: string, cause: unknown): KernelUnavailable {
    const { message, remedy } = explainFailure(step, code, this.host.lockdown(), this.host.isRoot());
    return new KernelUnavailable(message, remedy, { cause });
  }
}

/** Which lines of one dispatch event are wanted. */
function eventFilter(event: (typeof EVENTS)[number], request: ArmRequest, format: () => string): string {
  const { addresses, hints } = request;
  const where = addresses.length > MOST_FILTERED_ADDRESSES ? "" : addresses.map(addressFilter).join(" || ");
  let what = PR_OUT;
  if (event === "done" && hints) {
    // Linux 6.6 and newer know the sense data: unit attentions alone. Before, any CHECK CONDITION may be one.
    const check = /\basc;/.test(format()) ? "(result == 0x2 && asc == 0x2a)" : "result == 0x2";
    what = `(${PR_OUT} || ((result == 0x18 || ${check}) && opcode != 0x5e))`;
  }
  return where === "" ? what : `${what} && (${where})`;
}

function addressFilter(hctl: string): string {
  const [host, channel, id, lun] = hctl.split(":");
  return `(host_no == ${host} && channel == ${channel} && id == ${id} && lun == ${lun})`;
}
