/**
 * Two QEMUs as prmig sees them: monitors, run states, a migration between them with every way it can fail.
 *
 * What they do was observed on QEMU 7.2: a source whose migration fails resumes by itself, at once, also from
 * pre-switchover; `cont` at pre-switchover is refused; a destination told to `stop` while it waits stays paused; a source
 * whose destination hangs after migrate-continue answers nobody.
 *
 * @module
 */
import type { QmpChannel } from "../../lib/qmp/client.ts";
import type { Clock } from "../../lib/migrate/ports.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { SimGuest } from "./sim_guest.ts";
import { GREETING, ScriptedQmp, type Told } from "./qmp_script.ts";

/** Times of a migration, in milliseconds. */
export const SIM_MS = { memory: 400, load: 10, notice: 50 } as const;

/** What a monitor does with one command instead of its duty. */
export type Fault =
  /** No answer; the command is not carried out. */
  | "silence"
  /** No answer, though it is carried out. */
  | "lost answer"
  /** Something that is not QMP; the command is not carried out. */
  | "garbage"
  /** The same in these words. */
  | { readonly says: string }
  | "refuse"
  /** The process is gone. */
  | "die"
  /** Carried out, and gone before it can say so. */
  | "do and die";

export interface SimQemuOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly network: Map<string, SimQemu>;
  /** The guest's disk. */
  readonly nexus: Nexus;
  /** Host device behind it. */
  readonly device?: string;
  /** A destination: a URI it listens on, or `defer`. */
  readonly incoming?: string;
  /** `-S` */
  readonly paused?: boolean;
  /** A conflict stops the VM (werror=stop). */
  readonly stopOnConflict?: boolean;
  readonly version?: readonly [number, number];
  /** `migrate-pr` of the disk; QEMU has none when left out. */
  readonly migratePr?: boolean;
  /** Capabilities that are on before. */
  readonly on?: readonly string[];
}

/** Arguments of the commands it knows. */
interface Arguments {
  readonly uri: string;
  readonly property: string;
  readonly capabilities: readonly { readonly capability: string; readonly state: boolean }[];
}

const CAPABILITIES = ["events", "return-path", "pause-before-switchover", "late-block-activate", "postcopy-ram"];

const NO_QMP = "{{{ no QMP }}}";

/** QEMU's own no. */
class Refusal {
  constructor(readonly desc: string) {}
}

/** One QEMU process. */
export class SimQemu {
  readonly name: string;
  alive = true;
  runState: string;
  guest: SimGuest | null;
  /** The migration it is the source, or the destination, of. */
  migration: string | null = null;
  readonly capabilities: Map<string, boolean>;
  /** Every command, in order. */
  readonly told: string[] = [];
  /** Decides what happens to a command; `null` for its duty. */
  fault: (command: string) => Fault | null = () => null;
  /** Called when the migration gets to a state, before the event goes out. */
  onStatus: (status: string) => void = () => {};
  /** The destination does not answer the source's device state. */
  hangsAtLoad = false;
  /** The destination refuses the device state. */
  refusesLoad = false;
  #peer: SimQemu | null = null;
  #autostart: boolean;
  #monitors = new Set<ScriptedQmp>();
  #stuck = false;
  #continued = Promise.withResolvers<"continue" | "cancel">();
  #gone = Promise.withResolvers<void>();

  constructor(readonly options: SimQemuOptions) {
    this.name = options.name;
    this.runState = options.incoming === undefined ? "prelaunch" : "inmigrate";
    this.guest = options.incoming === undefined ? new SimGuest() : null;
    this.capabilities = new Map(CAPABILITIES.map((name) => [name, options.on?.includes(name) ?? false]));
    this.#autostart = !options.paused;
    if (options.incoming !== undefined && options.incoming !== "defer") options.network.set(options.incoming, this);
    if (options.incoming === undefined && !options.paused) this.start();
  }

  get running(): boolean {
    return this.alive && this.runState === "running";
  }

  /** A new monitor connection. */
  connect(): QmpChannel {
    if (!this.alive) throw new Error("Connection refused (os error 111)");
    const monitor: ScriptedQmp = new ScriptedQmp((told) => this.#take(told, monitor));
    monitor.say(GREETING.replace('"minor": 2, "major": 7', this.#versionText()));
    this.#monitors.add(monitor);
    return { ...monitor.channel, address: `/run/${this.name}/qmp` };
  }

  /** The process is gone, and with it its guest. */
  die(): void {
    if (!this.alive) return;
    this.alive = false;
    this.runState = "dead";
    for (const monitor of this.#monitors) monitor.end();
    for (const [uri, qemu] of this.options.network) if (qemu === this) this.options.network.delete(uri);
    this.#gone.resolve();
  }

  /** Its monitors say something that is not QMP. */
  babble(words = NO_QMP): void {
    for (const monitor of this.#monitors) monitor.say(words);
  }

  /** Somebody else cancels the migration. */
  cancelByHand(): void {
    this.#cancel();
  }

  /** Lets the guest run. */
  start(): void {
    if (this.running || !this.alive) return;
    this.runState = "running";
    this.#say("RESUME");
    const guest = this.guest!;
    const { nexus, clock, stopOnConflict } = this.options;
    guest.run(nexus, this.name, () => this.running && this.guest === guest, clock, () => {
      if (!stopOnConflict) return;
      this.runState = "io-error";
      this.#say("STOP");
    });
  }

  #versionText(): string {
    const [major, minor] = this.options.version ?? [7, 2];
    return `"minor": ${minor}, "major": ${major}`;
  }

  #take(told: Told, monitor: ScriptedQmp): string[] {
    const { execute, id } = told;
    this.told.push(execute);
    const fault = this.fault(execute);
    const answer = (body: object): string[] => this.alive ? [JSON.stringify({ ...body, id }) + "\r\n"] : [];
    const refuse = (desc: string): string[] => answer({ error: { class: "GenericError", desc } });
    if (this.#stuck || fault === "silence") return [];
    if (fault === "garbage") return [NO_QMP];
    if (typeof fault === "object" && fault !== null) return [fault.says];
    if (fault === "refuse") return refuse("it is not to be");
    if (fault === "die") {
      this.die();
      return [];
    }
    const result = this.#execute(execute, (told.arguments ?? {}) as Arguments);
    if (fault === "do and die") this.die();
    if (fault === "lost answer") return [];
    if (execute === "quit") {
      for (const text of answer({ return: {} })) monitor.say(text);
      this.die();
      return [];
    }
    return result instanceof Refusal ? refuse(result.desc) : answer({ return: result });
  }

  #execute(command: string, args: Arguments): unknown {
    switch (command) {
      case "qmp_capabilities":
      case "quit":
        return {};
      case "query-status":
        return { status: this.runState, running: this.running };
      case "query-migrate":
        return this.#migrationInfo();
      case "query-migrate-capabilities":
        return [...this.capabilities].map(([capability, state]) => ({ capability, state }));
      case "migrate-set-capabilities":
        for (const { capability, state } of args.capabilities) {
          if (!this.capabilities.has(capability)) return new Refusal(`Invalid parameter '${capability}'`);
          this.capabilities.set(capability, state);
        }
        return {};
      case "query-block":
        return [{ device: "", qdev: "disk0", inserted: { file: this.options.device ?? `/dev/${this.name}` } }];
      case "qom-get":
        return this.#property(args.property);
      case "migrate":
        return this.#migrate(args.uri);
      case "migrate-incoming":
        this.options.network.set(args.uri, this);
        return {};
      case "migrate-continue":
        if (this.migration !== "pre-switchover") return new Refusal("Migration not in expected state: pre-switchover");
        this.#continued.resolve("continue");
        return {};
      case "migrate_cancel":
        return this.#cancel();
      case "cont":
        return this.#cont();
      case "stop":
        if (this.runState === "inmigrate") this.#autostart = false;
        else if (this.running) this.runState = "paused";
        return {};
      default:
        return new Refusal(`The command ${command} has not been found`);
    }
  }

  #migrationInfo(): object {
    const left = this.migration === "active" ? 1 << 26 : 0;
    const listening = [...this.options.network].filter(([, qemu]) => qemu === this).map(([uri]) => uri.slice(5));
    return {
      ...this.migration !== null && { status: this.migration },
      ...this.migration === "active" && { ram: { total: 1 << 27, remaining: left, transferred: 1, mbps: 100 } },
      ...this.migration === "completed" && { downtime: 42 },
      ...listening.length > 0 && { "socket-address": listening.map((path) => ({ type: "unix", path })) },
    };
  }

  #property(name: string): unknown {
    if (name === "type") return "scsi-block";
    return this.options.migratePr ?? new Refusal(`Property 'scsi-block.${name}' not found`);
  }

  #cont(): unknown {
    if (this.runState === "finish-migrate") return new Refusal("Migration is not finalized yet");
    if (this.runState === "inmigrate") this.#autostart = true;
    else this.start();
    return {};
  }

  #cancel(): object {
    if (this.migration === "active" || this.migration === "setup") this.#fail("cancelled");
    this.#continued.resolve("cancel");
    return {};
  }

  #migrate(uri: string): unknown {
    if (this.migration !== null && !["completed", "failed", "cancelled"].includes(this.migration)) {
      return new Refusal("There's a migration process in progress");
    }
    this.#continued = Promise.withResolvers();
    this.#migration(uri);
    return {};
  }

  /** The course of a migration, seen from its source. */
  async #migration(uri: string): Promise<void> {
    const { clock, network } = this.options;
    const wasRunning = this.running;
    this.#status("setup");
    const peer = network.get(uri) ?? null;
    if (!peer) {
      await clock.sleep(1);
      return this.#fail("failed");
    }
    this.#peer = peer;
    this.#status("active");
    peer.migration = "active";
    await clock.sleep(SIM_MS.memory, Promise.race([peer.#gone.promise, this.#gone.promise]));
    if (!this.alive) return peer.die();
    if (!peer.alive && this.migration === "active") {
      await clock.sleep(SIM_MS.notice);
      return this.#fail("failed");
    }
    if (this.migration !== "active") return peer.die(); // cancelled
    if (wasRunning) this.#stop("finish-migrate");
    if (this.capabilities.get("pause-before-switchover")) {
      this.#status("pre-switchover");
      const next = await Promise.race([this.#continued.promise, this.#gone.promise.then(() => "gone")]);
      if (next !== "continue") {
        if (next === "cancel") this.#fail("cancelled", wasRunning);
        return peer.die();
      }
    }
    this.#status("device");
    await this.#switchTo(peer, wasRunning);
  }

  async #switchTo(peer: SimQemu, wasRunning: boolean): Promise<void> {
    const { clock } = this.options;
    if (peer.hangsAtLoad) {
      this.#stuck = true;
      await Promise.race([peer.#gone.promise, this.#gone.promise]);
      this.#stuck = false;
    }
    await clock.sleep(SIM_MS.load, peer.#gone.promise);
    if (!peer.alive || peer.refusesLoad) {
      peer.die();
      return this.#fail("failed", wasRunning);
    }
    const guest = this.guest!.copy();
    this.runState = "postmigrate";
    peer.guest = guest;
    peer.runState = "paused";
    if (peer.#autostart && wasRunning) peer.start();
    peer.#status("completed");
    this.#status("completed");
  }

  #stop(state: string): void {
    this.runState = state;
    this.#say("STOP");
  }

  /** It resumes by itself, before it says that the migration has failed. */
  #fail(status: "failed" | "cancelled", resume = false): void {
    if (!this.alive) return;
    if (resume) this.start();
    this.#status(status);
  }

  #status(status: string): void {
    if (!this.alive) return;
    this.migration = status;
    this.onStatus(status);
    if (this.capabilities.get("events")) this.#say("MIGRATION", { status });
  }

  #say(event: string, data?: object): void {
    if (this.#stuck) return;
    const text = JSON.stringify({ event, timestamp: { seconds: 1, microseconds: 1 }, ...data && { data } });
    for (const monitor of this.#monitors) monitor.say(text + "\r\n");
  }

  /** The other side of its migration. */
  get peer(): SimQemu | null {
    return this.#peer;
  }
}
