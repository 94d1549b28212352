/**
 * The demo's stage: one simulated LUN in a file, and the nexuses of two hosts and a cluster peer to it.
 *
 * @module
 */
import { join } from "../../files/paths.ts";
import type { Lun } from "../../migrate/lun.ts";
import { prOut, type PrOutRequest } from "../../pr/commands.ts";
import { describeCommand, describeReply } from "../../pr/describe.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { patient } from "../../pr/patient.ts";
import { readIdentity } from "../../pr/read_identity.ts";
import { readState } from "../../pr/read_state.ts";
import { formatKey, type PrState, prTypeInfo } from "../../pr/types.ts";
import { createSimLun, openSimNexus } from "../../sim/open.ts";

/** Who plays. */
export const HOSTS = ["berlin", "paris", "peer"] as const;
export type HostName = typeof HOSTS[number];

/** A LUN and everybody who uses it. */
export class Stage {
  readonly #nexuses = new Map<HostName, Nexus>();

  private constructor(readonly directory: string, readonly log: (line: string) => void) {}

  /** Makes the LUN in a directory of its own. `log` gets every command sent to it. */
  static async build(log: (line: string) => void): Promise<Stage> {
    const stage = new Stage(await Deno.makeTempDir({ prefix: "prmig-demo-" }), log);
    await createSimLun(stage.file);
    for (const host of HOSTS) stage.#nexuses.set(host, await openSimNexus(stage.address(host)));
    return stage;
  }

  get file(): string {
    return join(this.directory, "lun");
  }

  /** What one would type to see the LUN as `host` does. */
  address(host: HostName): string {
    return `sim:${this.file}?nexus=${host}`;
  }

  /** The host's nexus, told to the log. */
  nexus(host: HostName): Nexus {
    const nexus = this.#nexuses.get(host)!;
    return patient({
      ...nexus,
      address: host,
      initiator: nexus.initiator,
      execute: async (cdb, data) => {
        const reply = await nexus.execute(cdb, data);
        if (cdb[0] === 0x5f) {
          this.log(`${host.padEnd(6)}  ${describeCommand(cdb, data)} -> ${describeReply(cdb, reply)}`);
        }
        return reply;
      },
      close: () => nexus.close(),
    });
  }

  /** The LUN as one side of a hand-over has it. */
  async lun(host: HostName, nexus: Nexus = this.nexus(host)): Promise<Lun> {
    const { designator, relativeTargetPort } = await readIdentity(nexus);
    return { device: host, designator: designator!, paths: [{ nexus, relativeTargetPort }] };
  }

  /** Sends a PR OUT as software on that host would; false when the LUN says no. */
  async does(host: HostName, request: PrOutRequest): Promise<boolean> {
    return (await prOut(this.nexus(host), request)).status === 0;
  }

  /** Writes one block, as the guest on that host would; false on RESERVATION CONFLICT. */
  async writes(host: HostName): Promise<boolean> {
    const write10 = Uint8Array.of(0x2a, 0, 0, 0, 0, 8, 0, 0, 1, 0);
    return (await this.nexus(host).execute(write10, new Uint8Array(512))).status === 0;
  }

  /** The LUN now. */
  state(): Promise<PrState> {
    return readState(this.nexus("peer"));
  }

  /** Who is registered, and who holds, in lines for a person. */
  async picture(): Promise<string[]> {
    const { reservation, registrations } = await this.state();
    const type = reservation === null ? "no reservation" : prTypeInfo(reservation.type)!.name;
    return [
      `the LUN: ${type}`,
      ...registrations.map((r) =>
        `  ${hostOf(r.transportId?.address ?? "").padEnd(6)}  ${formatKey(r.key)}${
          r.holder ? "  holds the reservation" : ""
        }`
      ),
    ];
  }

  /** Closes and removes everything. */
  async strike(): Promise<void> {
    for (const nexus of this.#nexuses.values()) nexus.close();
    await Deno.remove(this.directory, { recursive: true });
  }
}

function hostOf(transportAddress: string): string {
  return transportAddress.slice(transportAddress.lastIndexOf(":") + 1);
}
