/**
 * The helper's book: what is known of every nexus it has served, who its clients are, and the files it is kept in.
 *
 *     LunPath ─> entry: tracked key and type, clients, attentions owed to them
 *                  └─ written behind to RUN/luns/<lun>.json, one write under way a LUN, the newest state always last
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { FileError } from "../files/file_error.ts";
import { type Tracked, UNKNOWN_CLIENT } from "../pr/tracker.ts";
import { Gate, type GateChoices } from "./gate.ts";
import type { LunPath } from "./lun_path.ts";
import {
  changeLun,
  CorruptState,
  lunFile,
  readLun,
  type SnoopedClient,
  type SnoopedLun,
  type SnoopedNexus,
} from "./state.ts";
import { isAlive, type Who } from "./who.ts";

/** What is known of one nexus. Changed by the book and by whoever holds its `lane`. */
export interface NexusEntry {
  /** As it was looked up last. */
  path: LunPath;
  tracked: Tracked;
  /** What is not certain about `tracked`, as a clause. */
  open: string | null;
  /** Since when key and type are what they are, ISO 8601. */
  since: string;
  /** Comes from a file, and the LUN has not been asked yet whether it is still so. */
  remembered: boolean;
  /** Nobody has been served on it yet. */
  fresh: boolean;
  /** Counts PR OUTs begun: what was overheard meanwhile proves nothing. */
  outs: number;
  /** Sense of unit attentions that belong to the guest and were caught by the helper's own commands. */
  readonly attentions: Bytes[];
  /** PR OUTs one at a time, so that what is tracked is in the order of what happened. */
  readonly lane: Gate;
  /** Commands under way: one sick LUN must not take all threads. */
  readonly gate: Gate;
  /** Clients seen on it, by {@link Who.id}. */
  readonly clients: Map<string, SnoopedClient & { readonly who: Who }>;
  /** Pairs of clients that were warned about. */
  readonly warned: Set<string>;
}

/** Commands under way a nexus. */
const COMMANDS_A_NEXUS = 4;
const NOBODY: readonly SnoopedClient[] = [];

/** What the book has to say. */
export interface BookHooks {
  /** A state file was spoilt and has been set aside. */
  readonly corrupt: (path: string, movedTo: string | null, why: string) => void;
  /** A state file could not be read or written. */
  readonly failed: (path: string, error: Error) => void;
}

/** All entries. */
export class NexusBook {
  readonly #entries = new Map<string, NexusEntry>();
  /** The same by the path itself, which stays the same object as long as it means the same: no name is made for each command. */
  readonly #byPath = new WeakMap<LunPath, NexusEntry>();
  /** LUN files that are being written, and whether they have to be written again. */
  readonly #writing = new Map<string, { again: boolean; done: Promise<void> }>();

  constructor(
    readonly runDirectory: string,
    readonly hooks: BookHooks,
    private readonly gates?: GateChoices,
  ) {}

  /** All entries, in the order in which they were first served. */
  entries(): readonly NexusEntry[] {
    return [...this.#entries.values()];
  }

  /** The entry of a path; at the first time from its file, if there is one. */
  entry(path: LunPath): NexusEntry {
    const entry = this.#byPath.get(path) ?? this.#byName(path);
    entry.path = path;
    return entry;
  }

  /** Notes that a client has sent a PR OUT. Gives living other clients of the nexus that were not warned about yet. */
  noteClient(entry: NexusEntry, who: Who, time: string): readonly SnoopedClient[] {
    const { pid, startTicks, uid, program } = who;
    const client = { pid, startTicks, uid, program, lastSeen: time, who };
    const before = entry.clients.get(who.id);
    entry.clients.set(who.id, client);
    if (!before || minuteOf(time) !== minuteOf(before.lastSeen)) this.save(entry);
    return entry.clients.size === 1 ? NOBODY : strangers(entry, who);
  }

  /** Forgets a client that could not be told from others but by its connection. */
  forgetClient(who: Who): void {
    if (who.startTicks !== null) return;
    for (const entry of this.#entries.values()) entry.clients.delete(who.id);
  }

  /** How many nexuses have several living clients. */
  shared(): number {
    return this.entries().filter(({ clients }) => [...clients.values()].filter((c) => isAlive(c) !== false).length > 1)
      .length;
  }

  /** Takes over what is known now; writes it behind. `time`: when key or type changed, if they did. */
  update(entry: NexusEntry, tracked: Tracked, open: string | null, time: string): void {
    const changed = tracked.key !== entry.tracked.key || tracked.type !== entry.tracked.type;
    const differs = changed || tracked.aptpl !== entry.tracked.aptpl || open !== entry.open;
    entry.tracked = tracked;
    entry.open = open;
    if (changed) entry.since = time;
    if (differs) this.save(entry);
  }

  /** Writes the entry's LUN behind the caller's back. */
  save({ path: { lunId } }: NexusEntry): void {
    const under = this.#writing.get(lunId);
    if (under) {
      under.again = true;
      return;
    }
    const job = { again: false, done: Promise.resolve() };
    this.#writing.set(lunId, job);
    job.done = this.#write(lunId, job);
  }

  /** Files are being written. */
  get writing(): boolean {
    return this.#writing.size > 0;
  }

  /** Resolves when everything is on disk. */
  async flush(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all([...this.#writing.values()].map(({ done }) => done));
  }

  async #write(lunId: string, job: { again: boolean }): Promise<void> {
    const file = lunFile(this.runDirectory, lunId);
    do {
      job.again = false;
      const mine = this.entries().filter((entry) => entry.path.lunId === lunId);
      try {
        await changeLun(file, (found) => merge(found, mine), (movedTo, why) => this.hooks.corrupt(file, movedTo, why));
      } catch (error) {
        if (!(error instanceof FileError) && !(error instanceof Error && "code" in error)) throw error;
        this.hooks.failed(file, error);
      }
    } while (job.again);
    this.#writing.delete(lunId);
  }

  #byName(path: LunPath): NexusEntry {
    const name = `${path.lunId} ${path.nexusId}`;
    let entry = this.#entries.get(name);
    if (!entry) this.#entries.set(name, entry = this.#newEntry(path));
    this.#byPath.set(path, entry);
    return entry;
  }

  #newEntry(path: LunPath): NexusEntry {
    const remembered = this.#remembered(path);
    const clients = new Map<string, SnoopedClient & { who: Who }>();
    for (const client of remembered?.clients ?? []) {
      const { pid, startTicks, uid, program } = client;
      const who = { id: `${pid}@${startTicks}`, pid, startTicks, uid, program };
      if (isAlive(client)) clients.set(who.id, { ...client, who });
    }
    return {
      path,
      tracked: remembered ? { key: remembered.key, type: remembered.type, aptpl: remembered.aptpl } : UNKNOWN_CLIENT,
      open: remembered?.open ?? "nothing was seen on it yet",
      since: remembered?.since ?? new Date().toISOString(),
      remembered: remembered !== undefined,
      fresh: true,
      outs: 0,
      attentions: [],
      lane: new Gate(1, this.gates),
      gate: new Gate(COMMANDS_A_NEXUS, this.gates),
      clients,
      warned: new Set(),
    };
  }

  #remembered(path: LunPath): SnoopedNexus | undefined {
    const file = lunFile(this.runDirectory, path.lunId);
    try {
      return readLun(file)?.nexuses.find(({ nexusId }) => nexusId === path.nexusId);
    } catch (error) {
      if (error instanceof CorruptState) this.hooks.corrupt(file, null, error.message);
      else if (error instanceof Error && "code" in error) this.hooks.failed(file, error);
      else throw error;
      return undefined;
    }
  }
}

/** Of an ISO 8601 time, which minute it is: a client's `lastSeen` alone is not worth a write more often than once in each. */
function minuteOf(time: string): string {
  return time.slice(0, "2026-11-29T20:08".length);
}

/** Living other clients that were not warned about yet; the dead are forgotten. */
function strangers(entry: NexusEntry, who: Who): SnoopedClient[] {
  const found: SnoopedClient[] = [];
  for (const [id, client] of entry.clients) {
    if (id === who.id) continue;
    if (isAlive(client) === false) {
      entry.clients.delete(id);
      continue;
    }
    const pair = [id, who.id].sort().join(" ");
    if (entry.warned.has(pair)) continue;
    entry.warned.add(pair);
    found.push(client);
  }
  return found;
}

/** Our nexuses as we know them; those of other helpers as they are, and their living clients on ours. */
function merge(found: SnoopedLun | null, mine: readonly NexusEntry[]): SnoopedLun {
  const { lunId, designator } = mine[0]!.path;
  const ids = mine.map(({ path }) => path.nexusId);
  const others = (found?.nexuses ?? []).filter(({ nexusId }) => !ids.includes(nexusId));
  const ours = mine.map((entry): SnoopedNexus => {
    const { nexusId, devno, device, block, sg } = entry.path;
    const { key, type, aptpl } = entry.tracked;
    const known = [...entry.clients.values()].map(({ who: _, ...client }) => client);
    const foreign = (found?.nexuses.find((each) => each.nexusId === nexusId)?.clients ?? []).filter((client) =>
      !known.some(({ pid, startTicks }) => pid === client.pid && startTicks === client.startTicks) && isAlive(client)
    );
    for (const { pid, startTicks, uid, program, lastSeen } of foreign) {
      const who = { id: `${pid}@${startTicks}`, pid, startTicks, uid, program };
      entry.clients.set(who.id, { pid, startTicks, uid, program, lastSeen, who });
    }
    const { since, open } = entry;
    return { nexusId, devno, device, block, sg, key, type, aptpl, since, open, clients: [...known, ...foreign] };
  });
  return { lunId, designator, nexuses: [...others, ...ours] };
}
