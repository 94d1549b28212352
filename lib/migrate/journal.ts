/**
 * Journals as files: one a side of a hand-over, replaced as a whole and fsynced before the command it announces.
 *
 *     STATE/journal/<hand-over>.source.json         in flight; its process holds <...>.json.lock
 *     STATE/journal/<hand-over>.source.closed.json  ended; kept for people, the newest 100
 *
 * @module
 */
import * as v from "valibot";
import { PrmigError } from "../errors.ts";
import { removeIfThere, setAside, writeAtomically } from "../files/atomic.ts";
import { holdLock } from "../files/hold.ts";
import { join } from "../files/paths.ts";
import { guardJournal } from "./journal_guard.ts";
import type { JournalEntry } from "./journal_entry.ts";
import type { Journal } from "./ports.ts";
import { decodeOffer, someKey, toLine } from "./stream.ts";

/** A journal in flight, opened by this process alone. */
export interface OpenJournal extends Journal {
  /** Gives the journal back; what is written stays. */
  release(): void;
}

/** A journal found on disk. */
export interface FoundJournal {
  readonly path: string;
  readonly entry: JournalEntry;
  /** Milliseconds since it was written, at least; by the machine's uptime, which nobody can set. */
  readonly quietMs: number;
}

const KEPT_CLOSED = 100;
const MAX_BYTES = 16 << 20;
const OPEN_NAME = /^[0-9a-f-]{36}\.(source|destination)\.json$/;

/** Directory of the journals: below PRMIG_STATE_DIR, by default /var/lib/prmig. */
export function journalDirectory(stateDir: string | undefined): string {
  return join(stateDir ?? "/var/lib/prmig", "journal");
}

/**
 * Opens the journal of one side of a hand-over. Errors: PrmigError `failed` when the directory cannot be used, `refused`
 * when another process has this journal open.
 */
export async function openJournal(
  directory: string,
  handOver: string,
  role: JournalEntry["role"],
): Promise<OpenJournal> {
  const path = join(directory, `${handOver}.${role}.json`);
  const release = await guarded(path, async () => {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    return holdLock(path);
  });
  if (release === null) throw inUse(path);
  let inFlight = await exists(path);
  const write = (entry: JournalEntry): Promise<void> =>
    guarded(path, async () => {
      const bytes = new TextEncoder().encode(toLine({ ...entry, written: stamp() }));
      await writeAtomically(path, bytes, { prompt: true });
      inFlight = entry.phase !== "closed";
      if (!inFlight) await close(directory, path);
    });
  return { write, release: () => release(!inFlight) };
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Moves a closed journal aside, and forgets the oldest of those. */
async function close(directory: string, path: string): Promise<void> {
  await Deno.rename(path, path.replace(/\.json$/, ".closed.json"));
  const closed: { path: string; at: number }[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    if (!name.endsWith(".closed.json")) continue;
    const at = (await Deno.stat(join(directory, name))).mtime?.getTime() ?? 0;
    closed.push({ path: join(directory, name), at });
  }
  closed.sort((a, b) => b.at - a.at);
  for (const old of closed.slice(KEPT_CLOSED)) await removeIfThere(old.path);
}

/** Every journal in flight, by age. One that cannot be read is set aside and reported, never guessed at. */
export async function findJournals(
  directory: string,
  onCorrupt: (path: string, why: string) => void,
): Promise<FoundJournal[]> {
  const found: (FoundJournal & { at: number })[] = [];
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    try {
      const { size, mtime } = await Deno.stat(path);
      if (size > MAX_BYTES) throw new Error(`it has ${size} bytes`);
      found.push({ ...await readJournal(path), at: mtime?.getTime() ?? 0 });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue; // closed meanwhile
      onCorrupt(await setAside(path), error instanceof Error ? error.message : String(error));
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

/**
 * A journal as it is now; `null` when it is not there any more. For whoever found it before it had the lock: another process
 * may have gone on with it, or ended it, meanwhile. Throws an Error when it cannot be read.
 */
export async function readAgain({ path }: Pick<FoundJournal, "path">): Promise<FoundJournal | null> {
  try {
    return await readJournal(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The journal of a hand-over that has ended, as long as it is kept; `null` when there is none. */
export async function findClosed(
  directory: string,
  handOver: string,
  role: JournalEntry["role"],
): Promise<FoundJournal | null> {
  return await readAgain({ path: join(directory, `${handOver}.${role}.closed.json`) });
}

/** The journal of a hand-over in flight; `null` when there is none. */
export async function findOpen(
  directory: string,
  handOver: string,
  role: JournalEntry["role"],
): Promise<FoundJournal | null> {
  return await readAgain({ path: join(directory, `${handOver}.${role}.json`) });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(directory)) if (OPEN_NAME.test(name)) names.push(name);
    return names;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const ROLES = {
  source: ["offered", "committing", "aborting", "evicting"],
  destination: ["preparing", "prepared", "taking", "settling", "leaving"],
};
const envelope = v.strictObject({
  prmig: v.literal(1),
  handOver: v.string(),
  role: v.picklist(["source", "destination"]),
  phase: v.picklist([...ROLES.source, ...ROLES.destination, "closed"]),
  luns: v.array(v.strictObject({
    device: v.string(),
    offer: v.unknown(),
    witnesses: v.optional(v.array(v.string())),
    standing: v.optional(v.array(v.string())),
    aside: v.optional(v.picklist(["evicting", "evicted"])),
    asked: v.optional(v.strictObject({
      generation: v.number(),
      registrations: v.array(v.strictObject({ name: v.nullable(v.string()), key: someKey })),
    })),
    formerKeys: v.optional(v.array(someKey)),
  })),
  method: v.picklist(["token", "plain"]),
  windowMs: v.number(),
  committed: v.boolean(),
  written: v.strictObject({ boot: v.string(), uptimeMs: v.number() }),
  outcome: v.optional(v.picklist(["moved", "restored", "fenced", "dropped", "nothing"])),
});

type Stamp = v.InferOutput<typeof envelope>["written"];

/** Memory of the kernel's, which never keeps anybody waiting: two trips to a thread would cost a guest that stands still more. */
function stamp(): Stamp {
  const [boot, uptime] = ["/proc/sys/kernel/random/boot_id", "/proc/uptime"].map((p) => Deno.readTextFileSync(p));
  return { boot: boot!.trim(), uptimeMs: Math.round(1000 * parseFloat(uptime!)) };
}

async function readJournal(path: string): Promise<FoundJournal> {
  const { entry, written } = decodeEntry(await Deno.readTextFile(path));
  const now = stamp();
  return { path, entry, quietMs: now.boot === written.boot ? now.uptimeMs - written.uptimeMs : now.uptimeMs };
}

/** A journal entry, and when it was written, from its text. Throws an Error that says what is wrong with it. */
export function decodeEntry(text: string): { entry: JournalEntry; written: Stamp } {
  const { written, ...entry } = v.parse(envelope, JSON.parse(text));
  if (entry.phase !== "closed" && !ROLES[entry.role].includes(entry.phase)) {
    throw new Error(`a ${entry.role} is never "${entry.phase}"`);
  }
  const luns = entry.luns.map(({ offer, ...rest }) => ({ ...rest, offer: decodeOffer(offer) }));
  return { entry: { ...entry, luns } as JournalEntry, written };
}

function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  return guardJournal(path, "nothing further was sent to it", work);
}

function inUse(path: string): PrmigError {
  return new PrmigError("refused", {
    message: `Another prmig is at work on this hand-over (${path})`,
    lun: "unchanged by this prmig",
    remedy: "wait for it to end, or stop it, and try again",
  });
}
