/**
 * The few commands that moving a guest takes, typed: what goes in, what comes back, everything within a time limit.
 *
 * An answer that does not have the shape QEMU gives it is a {@link QmpError} of kind `protocol`, like any other message
 * that is not QMP. Fields that are not needed are not looked at, so that newer versions may add and older ones lack some.
 *
 * @module
 */
import * as v from "valibot";
import type { QmpClient } from "./client.ts";
import { QmpError } from "./error.ts";
import type { QemuVersion, QmpEvent } from "./message.ts";

/** Whether and why the guest stands still: `running`, `paused`, `inmigrate`, `postmigrate`, `io-error` ... */
export interface RunStatus {
  readonly status: string;
  readonly running: boolean;
}

/** RAM of a migration under way, in bytes. */
export interface RamProgress {
  readonly totalBytes: number;
  readonly remainingBytes: number;
  readonly transferredBytes: number;
  /** Megabits a second. */
  readonly mbps: number;
}

/** A migration as `query-migrate` tells of it; `status` is `null` where there was none. */
export interface MigrationInfo {
  readonly status: string | null;
  readonly ram: RamProgress | null;
  /** What QEMU expects the guest to stand still, and what it did, in milliseconds. */
  readonly expectedDowntimeMs: number | null;
  readonly downtimeMs: number | null;
  readonly errorText: string | null;
  /** Where a destination listens, in the words of `migrate`: `unix:/run/m`, `tcp:10.0.0.2:4444`. */
  readonly listensOn: readonly string[];
}

/** A block device of the guest. */
export interface BlockDevice {
  /** Its id, or its QOM path where it has none. */
  readonly qdev: string;
  /** QOM path. */
  readonly path: string;
  /** What is behind it, as QEMU names it: a path or a `json:` text. Empty for an empty drive. */
  readonly file: string;
}

const maybe = <S extends v.GenericSchema>(schema: S): v.NullishSchema<S, null> => v.nullish(schema, null);
const size = v.pipe(v.number(), v.minValue(0));
const statusAnswer = v.object({ status: v.string(), running: v.boolean() });
const capabilitiesAnswer = v.array(v.object({ capability: v.string(), state: v.boolean() }));
const socketAddress = v.looseObject({ type: v.string() });
const migrationAnswer = v.object({
  status: maybe(v.string()),
  ram: maybe(v.object({ total: size, remaining: size, transferred: size, mbps: v.optional(v.number(), 0) })),
  "expected-downtime": maybe(size),
  downtime: maybe(size),
  "error-desc": maybe(v.string()),
  "socket-address": maybe(v.array(socketAddress)),
});
const blockAnswer = v.array(v.object({
  qdev: v.optional(v.string(), ""),
  inserted: maybe(v.object({ file: v.optional(v.string(), "") })),
}));

/** One QEMU, as far as a migration needs it. All methods reject with {@link QmpError}. */
export class Qemu {
  constructor(readonly client: QmpClient, readonly timeoutMs: number) {}

  /** Where it is reached, for people. */
  get address(): string {
    return this.client.address;
  }

  get version(): QemuVersion {
    return this.client.version;
  }

  /** Whether the version is at least `major.minor`. */
  atLeast(major: number, minor: number): boolean {
    const own = this.version;
    return own.major > major || own.major === major && own.minor >= minor;
  }

  async status(): Promise<RunStatus> {
    return await this.#ask("query-status", statusAnswer);
  }

  async migration(): Promise<MigrationInfo> {
    const said = await this.#ask("query-migrate", migrationAnswer);
    const { ram } = said;
    return {
      status: said.status,
      ram: ram && {
        totalBytes: ram.total,
        remainingBytes: ram.remaining,
        transferredBytes: ram.transferred,
        mbps: ram.mbps,
      },
      expectedDowntimeMs: said["expected-downtime"],
      downtimeMs: said.downtime,
      errorText: said["error-desc"],
      listensOn: (said["socket-address"] ?? []).flatMap(socketUri),
    };
  }

  /** Every migration capability this QEMU knows, on or off. */
  async capabilities(): Promise<Map<string, boolean>> {
    const said = await this.#ask("query-migrate-capabilities", capabilitiesAnswer);
    return new Map(said.map(({ capability, state }) => [capability, state]));
  }

  async setCapabilities(wanted: ReadonlyMap<string, boolean>): Promise<void> {
    if (wanted.size === 0) return;
    const capabilities = [...wanted].map(([capability, state]) => ({ capability, state }));
    await this.#do("migrate-set-capabilities", { capabilities });
  }

  async blockDevices(): Promise<BlockDevice[]> {
    const said = await this.#ask("query-block", blockAnswer);
    return said.filter(({ qdev }) => qdev !== "").map(({ qdev, inserted }) => ({
      qdev,
      path: qdev.startsWith("/") ? qdev : `/machine/peripheral/${qdev}`,
      file: inserted?.file ?? "",
    }));
  }

  /** A property of an object; undefined where the object has none of that name. */
  async property(path: string, property: string): Promise<unknown> {
    try {
      return await this.client.execute("qom-get", { path, property }, this.timeoutMs);
    } catch (error) {
      // "Property 'scsi-block.migrate-pr' not found"; any other refusal says nothing about the property.
      if (error instanceof QmpError && error.failure === "refused" && / not found$/.test(error.message)) {
        return undefined;
      }
      throw error;
    }
  }

  migrate(uri: string): Promise<void> {
    return this.#do("migrate", { uri });
  }

  migrateIncoming(uri: string): Promise<void> {
    return this.#do("migrate-incoming", { uri });
  }

  /** Lets a migration that waits at `pre-switchover` go on. */
  migrateContinue(): Promise<void> {
    return this.#do("migrate-continue", { state: "pre-switchover" });
  }

  migrateCancel(): Promise<void> {
    return this.#do("migrate_cancel");
  }

  cont(): Promise<void> {
    return this.#do("cont");
  }

  /** Stops the guest; a destination that waits for its guest will not let it run by itself. */
  stop(): Promise<void> {
    return this.#do("stop");
  }

  quit(): Promise<void> {
    return this.#do("quit");
  }

  /** Calls back for every event until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    return this.client.onEvent(listener);
  }

  async #do(command: string, args?: unknown): Promise<void> {
    await this.client.execute(command, args, this.timeoutMs);
  }

  async #ask<S extends v.GenericSchema>(command: string, schema: S): Promise<v.InferOutput<S>> {
    const answer = await this.client.execute(command, undefined, this.timeoutMs);
    const result = v.safeParse(schema, answer, { abortEarly: true });
    if (result.success) return result.output;
    const where = v.getDotPath(result.issues[0]) ?? "answer";
    const text =
      `${this.address} answered ${command} in a way this prmig does not understand: ${where} is not as it should be`;
    throw new QmpError("protocol", text, { address: this.address, command, mayBeDone: true });
  }
}

/** A socket address of QEMU as a word for `migrate`; none for a kind that has no such word. */
function socketUri(address: Readonly<Record<string, unknown>>): string[] {
  const { type, path, host, port } = address;
  if (type === "unix" && typeof path === "string") return [`unix:${path}`];
  if (type !== "inet" || typeof host !== "string" || typeof port !== "string") return [];
  return [`tcp:${host.includes(":") ? `[${host}]` : host}:${port}`];
}
