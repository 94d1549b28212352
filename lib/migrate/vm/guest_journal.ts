/**
 * What `prmig migrate` writes down before it starts to send a guest: enough for `prmig recover` to find both QEMUs and
 * bring guest and reservations to one side. The LUNs have their own journal, under the same name.
 *
 *     STATE/guest/<hand-over>.json     in flight; removed as soon as the guest is known to be on one side
 *
 * @module
 */
import * as v from "valibot";
import { PrmigError } from "../../errors.ts";
import { removeIfThere, setAside, writeAtomically } from "../../files/atomic.ts";
import { holdLock } from "../../files/hold.ts";
import { join } from "../../files/paths.ts";
import { guardJournal } from "../journal_guard.ts";
import { GATES } from "./gates.ts";

const way = v.variant("kind", [
  v.strictObject({ kind: v.literal("socket"), address: v.string() }),
  v.strictObject({ kind: v.literal("command"), command: v.string(), address: v.string() }),
]);
const entrySchema = v.strictObject({
  prmig: v.literal(1),
  /** Name of the hand-over; the migration's, where there was nothing to hand over. */
  handOver: v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/)),
  gate: v.picklist(GATES),
  /** The guest ran when the migration began. */
  wasRunning: v.boolean(),
  source: way,
  destination: v.nullable(way),
});

/** One migration in flight. */
export type GuestEntry = v.InferOutput<typeof entrySchema>;

const NAME = /^[0-9a-f-]{36}\.json$/;

/** Directory of these journals: below PRMIG_STATE_DIR, by default /var/lib/prmig. */
export function guestDirectory(stateDir: string | undefined): string {
  return join(stateDir ?? "/var/lib/prmig", "guest");
}

/** A journal that this process alone has open. */
export interface OpenGuest {
  /** Writes the entry down, on stable storage. Rejects with PrmigError `failed`. */
  write(): Promise<void>;
  /** False when another process has ended the migration, before this one had its journal. */
  isThere(): Promise<boolean>;
  /** The migration has ended, one way or the other. */
  forget(): Promise<void>;
  /** Gives the journal back. */
  release(): void;
}

/** Opens the journal of one migration. Rejects with PrmigError: `refused` when another process has it, `failed`. */
export async function openGuest(directory: string, entry: GuestEntry): Promise<OpenGuest> {
  const path = join(directory, `${entry.handOver}.json`);
  const unlock = await guarded(path, async () => {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    return holdLock(path);
  });
  if (unlock === null) throw inUse(path);
  let written = true;
  return {
    write: () => guarded(path, () => writeAtomically(path, new TextEncoder().encode(JSON.stringify(entry) + "\n"))),
    isThere: async () => written = (await namesIn(directory)).includes(`${entry.handOver}.json`),
    forget: async () => {
      await removeIfThere(path);
      written = false;
    },
    release: () => unlock(!written),
  };
}

function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  return guardJournal(path, "as before; the guest was not touched", work);
}

function inUse(path: string): PrmigError {
  return new PrmigError("refused", {
    message: `Another prmig is at work on this migration (${path})`,
    lun: "unchanged by this prmig",
    remedy: "wait for it to end, or stop it, and try again",
  });
}

/** Every migration in flight. One that cannot be read is set aside and reported. */
export async function findGuests(
  directory: string,
  onCorrupt: (path: string, why: string) => void,
): Promise<GuestEntry[]> {
  const found: GuestEntry[] = [];
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    try {
      found.push(v.parse(entrySchema, JSON.parse(await Deno.readTextFile(path))));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue; // ended meanwhile
      onCorrupt(await setAside(path), error instanceof Error ? error.message : String(error));
    }
  }
  return found;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(directory)) if (NAME.test(name)) names.push(name);
    return names.sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
