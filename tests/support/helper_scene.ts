/**
 * A Helper over a simulated LUN, without sockets: /dev/null and /dev/zero play the nodes of two nexuses, A and B.
 *
 * @module
 */
import type { Bytes } from "../../lib/bytes.ts";
import type { Reply } from "../../lib/pr/nexus.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";
import type { PrEvent } from "../../lib/snoop/event.ts";
import { Helper, type HelperOptions } from "../../lib/snoop/helper.ts";
import type { HelperAnswer } from "../../lib/snoop/helper_protocol.ts";
import type { LogLine } from "../../lib/snoop/log_line.ts";
import type { LunPath } from "../../lib/snoop/lun_path.ts";
import { Metrics } from "../../lib/snoop/metrics.ts";
import { lunFile, readLun, type SnoopedNexus } from "../../lib/snoop/state.ts";
import { closeFd, openFd } from "../../lib/sys/fd.ts";
import { fdFacts } from "../../lib/sys/fd_facts.ts";

const NODES = { A: "/dev/null", B: "/dev/zero" } as const;
export type NodeName = keyof typeof NODES;
export const DESIGNATOR = "naa.6001405000000001";

/** Everything a test looks at. */
export class HelperScene implements AsyncDisposable {
  readonly lun = new MemoryLun();
  readonly metrics = new Metrics();
  readonly events: PrEvent[] = [];
  readonly log: LogLine[] = [];
  /** CDBs in the order in which they reached the LUN, and "reply" for each answer that left. */
  readonly order: string[] = [];
  /** Called before a command reaches the LUN; a promise delays it, a throw is the kernel's refusal. */
  before: (name: NodeName, cdb: Uint8Array) => Promise<void> | void = () => {};
  helper!: Helper;
  readonly #options: Partial<HelperOptions>;
  readonly #descriptors = new Map<NodeName, number>();

  private constructor(readonly runDirectory: string, options: Partial<HelperOptions>) {
    this.#options = options;
  }

  static async open(options: Partial<HelperOptions> = {}): Promise<HelperScene> {
    const runDirectory = Deno.makeTempDirSync({ prefix: "prmig-" });
    Deno.mkdirSync(`${runDirectory}/luns`);
    const scene = new HelperScene(runDirectory, options);
    for (const name of ["A", "B"] as const) scene.#descriptors.set(name, await openFd(NODES[name], 2));
    scene.restart();
    return scene;
  }

  /** Another helper, over what the last one has written. */
  restart(): void {
    this.helper = new Helper({
      runDirectory: this.runDirectory,
      mask: true,
      timeoutMs: 1000,
      metrics: this.metrics,
      log: (line) => this.log.push(line),
      event: (event) => this.events.push(event),
      io: (descriptor, cdb, data) => this.#io(descriptor, cdb, data),
      pathOf: ({ devno }) => this.#path(devno!),
      ...this.#options,
    });
  }

  /** One command of client `id` through a node; resolves when the helper is done with the descriptor. */
  async send(
    name: NodeName,
    cdb: Uint8Array,
    parameters: Uint8Array = new Uint8Array(),
    id = 1,
  ): Promise<HelperAnswer> {
    let said: HelperAnswer | null = null;
    const padded = new Uint8Array(16);
    padded.set(cdb);
    const client = { id, peer: { pid: Deno.pid, uid: 0, gid: 0 } };
    const request = { cdb: padded, parameters: parameters as Bytes, descriptor: this.#descriptors.get(name)! };
    await this.helper.hooks().execute(client, request, (answer) => {
      this.order.push("reply");
      said = answer;
    });
    if (said === null) throw new Error("no reply was given");
    return said;
  }

  /** What is on disk of a nexus, once everything is written. */
  async onDisk(name: NodeName): Promise<SnoopedNexus | undefined> {
    await this.helper.book.flush();
    return readLun(lunFile(this.runDirectory, DESIGNATOR))?.nexuses.find(({ nexusId }) => nexusId === name);
  }

  /** Commands of the helper's own so far. */
  get extra(): number {
    return this.metrics.total("extra_commands");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.helper.book.flush();
    for (const descriptor of this.#descriptors.values()) closeFd(descriptor);
    Deno.removeSync(this.runDirectory, { recursive: true });
  }

  async #io(descriptor: number, cdb: Uint8Array, data: Uint8Array | number): Promise<Reply> {
    const name = this.#nameOf(fdFacts(descriptor).devno!);
    await this.before(name, cdb);
    this.order.push(`${name} ${cdb[0]!.toString(16)} ${cdb[1]! & 0x1f}`);
    return await this.lun.nexus(name).execute(cdb.subarray(0, 10), data);
  }

  #path(devno: string): LunPath {
    const name = this.#nameOf(devno);
    return {
      designator: DESIGNATOR,
      lunId: DESIGNATOR,
      nexusId: name,
      hctl: null,
      devno,
      device: NODES[name],
      block: NODES[name],
      sg: null,
      multipath: null,
      own: { initiator: this.lun.nexus(name).initiator, relativeTargetPort: 1 },
    };
  }

  #nameOf(devno: string): NodeName {
    return devno === "1:3" ? "A" : "B";
  }
}
