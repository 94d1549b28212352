/**
 * A lock kept for as long as a process works on something, and given back by its death: `NAME.lock`, as in lock.ts.
 *
 * @module
 */

/**
 * Takes the lock of `path` without waiting and gives the function that returns it; `null` when another process has it.
 * With `forget`, returning it removes the lock file too: for a path that nobody will work on again.
 */
export function holdLock(path: string): ((forget: boolean) => void) | null {
  const lockPath = `${path}.lock`;
  const file = Deno.openSync(lockPath, { write: true, create: true, mode: 0o600 });
  if (!file.tryLockSync(true)) {
    file.close();
    return null;
  }
  return (forget) => {
    if (forget) Deno.removeSync(lockPath);
    file.close();
  };
}
