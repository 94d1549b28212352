/**
 * What the lab keeps between runs: directories named after what is in them, outside the repository.
 *
 *   <cache>/<name>/            complete, never changed again
 *   <cache>/<name>.partial/    being built; thrown away by the next builder
 *   <cache>/<name>.lock        held (flock) while it is built
 *
 * A directory appears under its own name by one rename after everything in it was written, so a name that exists is
 * complete, however the run before it ended. Two runs that start at once build it once: the second waits.
 *
 * @module
 */

/** Where it all lies: `$XDG_CACHE_HOME/prmig-lab`, else `~/.cache/prmig-lab`. */
export function cacheRoot(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache`;
  return `${home}/prmig-lab`;
}

/** The path of the directory `name`, built by `build` (which fills an empty directory) if it is not there yet. */
export async function cached(name: string, build: (directory: string) => Promise<void>): Promise<string> {
  const root = cacheRoot();
  const path = `${root}/${name}`;
  if (await exists(path)) return path;
  await Deno.mkdir(root, { recursive: true });
  using lock = await Deno.open(`${path}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await exists(path)) return path;
  const partial = `${path}.partial`;
  await remove(partial);
  await Deno.mkdir(partial);
  try {
    await build(partial);
    await Deno.rename(partial, path);
  } catch (error) {
    await remove(partial);
    throw error;
  }
  return path;
}

/** A short name for any text: the first 12 hex digits of its SHA-256. */
export async function shortHash(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return digest.toHex().slice(0, 12);
}

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path, { recursive: true });
}
