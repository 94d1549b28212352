/**
 * Whole-file replacement that a crash, a full disk or a reader in between cannot spoil.
 *
 *     write .NAME.<random>.tmp (same directory) -> fsync -> rename over NAME -> fsync the directory
 *
 * Whoever opens NAME sees the old bytes or the new ones, never a mixture. Nothing is ever readable by others.
 *
 * @module
 */
import { dirname, join } from "./paths.ts";
import { asFileError } from "./file_error.ts";

/** How to write. */
export interface WriteChoices {
  /** Permissions; what they give to others is taken away. 0600 by default. */
  readonly mode?: number;
  /** `false`: survive crashes of programs but not of the machine (no fsync). For simulated LUNs. */
  readonly durable?: boolean;
  /**
   * `true`: what goes to the kernel's memory is done at once, and only fsync is waited for on a thread. For a file that
   * somebody stands still for: four trips to a thread less, 3.7 -> 1.0 ms on one processor.
   */
  readonly prompt?: boolean;
}

const PRIVATE = 0o600;
const NOT_FOR_OTHERS = 0o770;

/**
 * Replaces the whole of a file, or creates it.
 *
 * Rejects with `FileError` (no space, no permission, no such directory); the old file is then as it was, and the
 * temporary one is gone.
 */
export function writeAtomically(path: string, bytes: Uint8Array, choices: WriteChoices = {}): Promise<void> {
  return asFileError("write", path, async () => {
    const directory = dirname(path);
    const temporary = join(directory, `.${path.slice(path.lastIndexOf("/") + 1)}.${crypto.randomUUID()}.tmp`);
    try {
      await writeNew(temporary, bytes, choices);
      if (choices.prompt) Deno.renameSync(temporary, path);
      else await Deno.rename(temporary, path);
    } catch (error) {
      await removeIfThere(temporary);
      throw error;
    }
    if (choices.durable ?? true) await syncDirectory(directory, choices.prompt);
  });
}

async function writeNew(
  path: string,
  bytes: Uint8Array,
  { mode = PRIVATE, durable = true, prompt = false }: WriteChoices,
): Promise<void> {
  const permissions = mode & NOT_FOR_OTHERS;
  const how = { write: true, createNew: true, mode: permissions };
  using file = prompt ? Deno.openSync(path, how) : await Deno.open(path, how);
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    at += prompt ? file.writeSync(rest) : await file.write(rest);
  }
  if (permissions !== PRIVATE) await Deno.chmod(path, permissions); // the umask may have taken away what was asked for
  if (durable) await file.sync();
}

async function syncDirectory(path: string, prompt = false): Promise<void> {
  using directory = prompt ? Deno.openSync(path) : await Deno.open(path);
  await directory.sync();
}

/** Removes a file; one that is not there is as good as removed. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Moves a corrupt file out of the way, under a name that was free: `NAME.corrupt-1`, `-2` ... Gives the new path.
 * Rejects with `FileError`. Call it under the file's lock.
 */
export function setAside(path: string): Promise<string> {
  return asFileError("set aside", path, async () => {
    for (let number = 1;; number++) {
      const free = `${path}.corrupt-${number}`;
      try {
        await Deno.link(path, free); // unlike rename, never replaces what is there
      } catch (error) {
        if (error instanceof Deno.errors.AlreadyExists) continue;
        throw error;
      }
      await Deno.remove(path);
      return free;
    }
  });
}
