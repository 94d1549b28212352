/**
 * What was snooped, on disk: one file a LUN, so that it outlives the helper, and that `dump` and `send` can read it.
 *
 *     RUN/luns/naa.6001405....json    one entry a nexus of this host: key, type, since when, by whose commands
 *
 * The file is a memory, not the truth: the LUN is. Several helpers (libvirt starts one a machine) may write one file, so a
 * change is read, made and written under a lock; readers need none. A file that cannot be understood is set aside.
 *
 * @module
 */
import { join } from "../files/paths.ts";
import { setAside, writeAtomically } from "../files/atomic.ts";
import { withLock } from "../files/lock.ts";
import { formatKey, parseKey } from "../pr/types.ts";
import type { Tracked } from "../pr/tracker.ts";

/** Where in the run directory the files lie. */
export const LUN_DIRECTORY = "luns";
const FORMAT = "prmig-lun/1";

/** A client whose PR OUTs were seen on a nexus. */
export interface SnoopedClient {
  /** Process id; 0 when it lives where the helper cannot see it. */
  readonly pid: number;
  /** When that process began, in kernel ticks: a pid comes back, the two together do not. `null`: not known. */
  readonly startTicks: number | null;
  readonly uid: number;
  readonly program: string | null;
  /** Its last PR OUT, ISO 8601. */
  readonly lastSeen: string;
}

/** What is known of one nexus of this host. */
export interface SnoopedNexus extends Tracked {
  /** H:C:T:L, or else the device number. */
  readonly nexusId: string;
  readonly devno: string;
  readonly device: string;
  readonly block: string | null;
  readonly sg: string | null;
  /** Since when key and type are what they are, ISO 8601. */
  readonly since: string;
  /** What is not certain about it, as a clause; `null` when nothing is. */
  readonly open: string | null;
  readonly clients: readonly SnoopedClient[];
}

/** A LUN's file. */
export interface SnoopedLun {
  readonly lunId: string;
  readonly designator: string | null;
  readonly nexuses: readonly SnoopedNexus[];
}

/** The file's bytes do not say what such a file says. */
export class CorruptState extends Error {
  override readonly name = "CorruptState";
}

/** Path of a LUN's file. Every character that a file name should not hold is written as `%XX`. */
export function lunFile(runDirectory: string, lunId: string): string {
  const safe = lunId.replaceAll(
    /[^A-Za-z0-9._:-]/gu,
    (c) => Array.from(new TextEncoder().encode(c), (b) => `%${b.toString(16).padStart(2, "0")}`).join(""),
  );
  return join(join(runDirectory, LUN_DIRECTORY), `${safe.replace(/^\./, "%2e")}.json`);
}

/** The file's text. */
export function encodeLun({ lunId, designator, nexuses }: SnoopedLun): string {
  const told = { format: FORMAT, lun: designator, lunId, nexuses };
  return JSON.stringify(told, (_name, value) => typeof value === "bigint" ? formatKey(value) : value, 2) + "\n";
}

/** Reads the file's text. Errors: {@link CorruptState}. */
export function decodeLun(text: string): SnoopedLun {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new CorruptState("no JSON", { cause: error });
  }
  const lun = members(raw, "the file");
  if (lun.format !== FORMAT) throw new CorruptState(`format is not ${FORMAT}`);
  return {
    lunId: textOf(lun.lunId, "lunId"),
    designator: orNull(lun.lun, textOf, "lun"),
    nexuses: listOf(lun.nexuses, "nexuses").map(nexusOf),
  };
}

/** Reads a LUN's file; `null` when there is none. Errors: {@link CorruptState}, or the system's. */
export function readLun(path: string): SnoopedLun | null {
  try {
    return decodeLun(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Changes a LUN's file: `change` gets what is there (`null`: nothing) and gives what shall be there. A corrupt file is set
 * aside first, and `aside` told where it lies. Rejects with `FileError`.
 */
export function changeLun(
  path: string,
  change: (lun: SnoopedLun | null) => SnoopedLun,
  aside: (movedTo: string, why: string) => void,
): Promise<void> {
  return withLock(path, async () => {
    let found: SnoopedLun | null = null;
    try {
      found = readLun(path);
    } catch (error) {
      if (!(error instanceof CorruptState)) throw error;
      aside(await setAside(path), error.message);
    }
    await writeAtomically(path, new TextEncoder().encode(encodeLun(change(found))));
  });
}

/** What was snooped on a LUN's nexus, for `dump` and `send`. */
export interface Snooped {
  readonly lunId: string;
  readonly nexus: SnoopedNexus;
}

/** Names of a LUN and of a way to it, as far as the asker knows them. */
export interface SnoopedQuery {
  readonly designators: readonly string[];
  /** H:C:T:L of the path. */
  readonly hctl: string | null;
  /** `/dev/sdb`, `/dev/sg3`, `/dev/mapper/mpatha`. */
  readonly nodes: readonly string[];
}

/**
 * What was snooped on exactly this path of the LUN; `null` when nothing was, or the directory cannot be read.
 * Errors: {@link CorruptState} with the file's path in the message.
 */
export function readSnooped(runDirectory: string, query: SnoopedQuery): Snooped | null {
  const ids = [...query.designators, ...(query.hctl === null ? [] : [`hctl-${query.hctl}`])];
  for (const lunId of ids) {
    const path = lunFile(runDirectory, lunId);
    const lun = readOrSay(path);
    const nexus = lun?.nexuses.find(({ nexusId, device, block, sg }) =>
      nexusId === query.hctl || [device, block, sg].some((node) => node !== null && query.nodes.includes(node))
    );
    if (nexus) return { lunId, nexus };
  }
  return null;
}

function readOrSay(path: string): SnoopedLun | null {
  try {
    return readLun(path);
  } catch (error) {
    if (error instanceof CorruptState) throw new CorruptState(`${path}: ${error.message}`, { cause: error });
    if (error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}

function nexusOf(raw: unknown): SnoopedNexus {
  const nexus = members(raw, "a nexus");
  return {
    nexusId: textOf(nexus.nexusId, "nexusId"),
    devno: textOf(nexus.devno, "devno"),
    device: textOf(nexus.device, "device"),
    block: orNull(nexus.block, textOf, "block"),
    sg: orNull(nexus.sg, textOf, "sg"),
    key: orNull(nexus.key, keyOf, "key"),
    type: orNull(nexus.type, numberOf, "type"),
    aptpl: orNull(nexus.aptpl, flagOf, "aptpl"),
    since: textOf(nexus.since, "since"),
    open: orNull(nexus.open, textOf, "open"),
    clients: listOf(nexus.clients, "clients").map(clientOf),
  };
}

function clientOf(raw: unknown): SnoopedClient {
  const client = members(raw, "a client");
  return {
    pid: numberOf(client.pid, "pid"),
    startTicks: orNull(client.startTicks, numberOf, "startTicks"),
    uid: numberOf(client.uid, "uid"),
    program: orNull(client.program, textOf, "program"),
    lastSeen: textOf(client.lastSeen, "lastSeen"),
  };
}

function members(raw: unknown, what: string): Record<string, unknown> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) throw new CorruptState(`${what} is no object`);
  return raw as Record<string, unknown>;
}

function listOf(raw: unknown, what: string): unknown[] {
  if (!Array.isArray(raw)) throw new CorruptState(`${what} is no list`);
  return raw;
}

function textOf(raw: unknown, what: string): string {
  if (typeof raw !== "string") throw new CorruptState(`${what} is no text`);
  return raw;
}

function numberOf(raw: unknown, what: string): number {
  if (typeof raw !== "number" || !Number.isSafeInteger(raw)) throw new CorruptState(`${what} is no number`);
  return raw;
}

function flagOf(raw: unknown, what: string): boolean {
  if (typeof raw !== "boolean") throw new CorruptState(`${what} is neither true nor false`);
  return raw;
}

function keyOf(raw: unknown, what: string): bigint {
  const key = typeof raw === "string" ? parseKey(raw) : null;
  if (key === null) throw new CorruptState(`${what} is no key`);
  return key;
}

function orNull<T>(raw: unknown, read: (raw: unknown, what: string) => T, what: string): T | null {
  return raw === null ? null : read(raw, what);
}
