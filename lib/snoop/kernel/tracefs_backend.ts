/**
 * Kernel records out of a trace instance: arm, test, read, correlate.
 *
 * @module
 */
import { Follower } from "../../sys/follow.ts";
import { SysError } from "../../sys/errno.ts";
import { readAttribute } from "../../sg/host.ts";
import type { KernelBackend, KernelBatch, KernelSight } from "./backend.ts";
import { Correlator, type KernelRecord } from "./correlate.ts";
import { deviceNumbers, type KernelPath } from "./paths.ts";
import type { DeviceOffsets } from "./probes.ts";
import { type HeldNode, holdNode, newNonce, silencers } from "./self_test.ts";
import { ownIdentity } from "./sweep.ts";
import { attempt, codeOf, TRACE_FILES } from "./trace_files.ts";
import { findTracefs, type TraceHost, TraceInstance } from "./trace_instance.ts";
import { LineSplitter } from "./lines.ts";
import { parseTraceLine } from "./trace_line.ts";

/** How long a wait for events may last before the instance is looked after, and what the self-test may take. */
const IDLE_MS = 5000, SELF_TEST_MS = 2000;

/** What is to be watched, and how. */
export interface TracefsRequest {
  readonly paths: readonly KernelPath[];
  readonly hints: boolean;
  readonly offsets: DeviceOffsets | null;
  readonly processors: number;
}

/** This machine. */
export const THIS_KERNEL: TraceHost<Follower> = {
  files: TRACE_FILES,
  openPipe: (path) => Follower.open(path),
  lockdown: () => readAttribute("/sys/kernel/security/lockdown"),
  isRoot: () => Deno.uid() === 0,
  pause: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
};

/** Arms an instance for these paths and proves that it works. Throws KernelUnavailable. */
export async function openTracefs(request: TracefsRequest, host = THIS_KERNEL): Promise<KernelBackend> {
  const root = findTracefs(host);
  const numbers = new Map(request.paths.map(({ hctl }) => [hctl, new Set(deviceNumbers(hctl))]));
  const nodes = await hold(request.paths);
  try {
    const instance = await TraceInstance.arm(host, root, {
      identity: ownIdentity(),
      addresses: request.paths.map(({ hctl }) => hctl),
      devices: [...numbers.values()].flatMap((set) => [...set]),
      offsets: request.offsets,
      hints: request.hints,
      processors: request.processors,
    });
    const backend = new TracefsBackend(instance, nodes, new Correlator((hctl) => numbers.get(hctl)));
    await backend.prove();
    return backend;
  } catch (error) {
    for (const node of nodes) node.held.close();
    throw error;
  }
}

interface Node {
  readonly path: string;
  /** Probe on the way of its SG_IO. */
  readonly probe: string;
  readonly held: HeldNode;
}

/** One node of each kind proves its probe; an open sg node also keeps the module from being unloaded under it. */
async function hold(paths: readonly KernelPath[]): Promise<Node[]> {
  const wanted = paths.flatMap(({ block, sg }) => [
    ...(block === null ? [] : [{ path: block, probe: "sd_ioctl" }]),
    ...(sg === null ? [] : [{ path: sg, probe: "sg_ioctl" }]),
  ]);
  const nodes: Node[] = [];
  for (const { path, probe } of wanted) {
    if (nodes.some((node) => node.probe === probe)) continue;
    try {
      nodes.push({ path, probe, held: await holdNode(path) });
    } catch (error) {
      if (!(error instanceof SysError)) throw error; // gone or forbidden: polling will say so
    }
  }
  return nodes;
}

class TracefsBackend implements KernelBackend {
  readonly #lines = new LineSplitter();
  #ready: KernelRecord[] = [];
  #notes: string[] = [];
  #silent = new Map<string, string>();

  constructor(
    private readonly instance: TraceInstance<Follower>,
    private readonly nodes: readonly Node[],
    private readonly correlator: Correlator,
  ) {}

  get sight(): KernelSight {
    const { probes, missing, swept, warnings } = this.instance;
    const blind = [
      ...missing.map(({ probe, code }) => `${probe.name} (${code})`),
      ...[...this.#silent].map(([name, reason]) => `${name} (${reason})`),
    ];
    const left = probes.length - this.#silent.size;
    const removed = swept.instances.length + swept.probes.length;
    return {
      keys: left <= 0 ? "none" : blind.length === 0 ? "all" : "some",
      blind,
      notes: [
        ...(removed === 0
          ? []
          : [`removed what a killed prmig had left: ${[...swept.instances, ...swept.probes].join(", ")}`]),
        ...warnings,
        ...this.#notes,
      ],
    };
  }

  async next(): Promise<KernelBatch> {
    if (this.#ready.length > 0) {
      const records = this.#ready;
      this.#ready = [];
      return { kind: "records", records };
    }
    return await this.#read(IDLE_MS);
  }

  async #read(timeoutMs: number): Promise<KernelBatch> {
    try {
      const followed = await this.instance.pipe.next(timeoutMs);
      switch (followed.kind) {
        case "stopped":
          return { kind: "closed" };
        case "end":
          return { kind: "ended", reason: "somebody turned the tracing of our instance off" };
        case "idle":
          if (this.instance.isRecording()) return { kind: "idle" };
          return { kind: "ended", reason: `somebody turned off or removed ${this.instance.directory}` };
        case "bytes": {
          const records = this.correlator.take(this.#lines.take(followed.bytes).map(parseTraceLine));
          return records.length === 0 ? { kind: "idle" } : { kind: "records", records };
        }
      }
    } catch (error) {
      return { kind: "ended", reason: `reading the kernel's trace failed: ${codeOf(error)}` };
    }
  }

  mark(text: string): boolean {
    return attempt(() => this.instance.mark(text)) === null;
  }

  /** Runs the self-test on every held node. What else comes meanwhile is kept for {@link next}. */
  async prove(): Promise<void> {
    const armed = this.instance.probes.map(({ name }) => name);
    let waiting = this.nodes.filter(({ probe }) => armed.includes(probe));
    waiting = await this.#fireAndWait(waiting);
    if (waiting.length > 0) {
      this.instance.dropDeviceFilters(); // this kernel may keep device numbers elsewhere than its BTF says
      waiting = await this.#fireAndWait(waiting);
    }
    if (waiting.length === 0) return;
    const causes = silencers(readAttribute);
    for (const { probe } of waiting) this.#silent.set(probe, "self-test failed");
    this.#notes.push(
      `self-test: ${waiting.map(({ probe }) => probe).join(", ")} stayed silent, so keys may be unknown` +
        (causes.length === 0 ? "" : `; ${causes.join(", ")}`),
    );
    if (waiting.length === this.nodes.length) { for (const name of armed) this.#silent.set(name, "self-test failed"); }
  }

  /** Gives those whose nonce did not come back in time. */
  async #fireAndWait(nodes: readonly Node[]): Promise<Node[]> {
    const waiting = new Map<bigint, Node>();
    for (const node of nodes) {
      const nonce = newNonce();
      const odd = await node.held.fire(nonce);
      if (odd === null) waiting.set(nonce, node);
      else this.#notes.push(`self-test on ${node.path} could not be run: ${odd}`);
    }
    const deadline = performance.now() + SELF_TEST_MS;
    while (waiting.size > 0 && performance.now() < deadline) {
      const batch = await this.#read(Math.max(1, Math.ceil(deadline - performance.now())));
      if (batch.kind === "closed" || batch.kind === "ended") break;
      if (batch.kind === "idle") continue;
      for (const record of batch.records) {
        if (record.kind === "selfTest") waiting.delete(record.nonce);
        else this.#ready.push(record);
      }
    }
    return [...waiting.values()];
  }

  close(): void {
    this.instance.close();
    for (const { held } of this.nodes) held.close();
  }
}
