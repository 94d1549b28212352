/**
 * The typed error of files: what was being done to which file, and why it did not work, in words.
 *
 * @module
 */

/** Something could not be done to a file. The caller knows what that means for a LUN; this does not. */
export class FileError extends Error {
  /** For logs. */
  override readonly name: string = "FileError";
  /** What could not be done, to which file, and why. */
  constructor(
    /** "write", "read", "lock" ... */
    readonly action: string,
    readonly path: string,
    /** "No space left on device", "permission denied" ... */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`cannot ${action} ${path}: ${reason}`, options);
  }
}

/** The reason of a system error in words, without what the runtime adds around it. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/ \(os error \d+\).*$/s, "");
}

/** Runs `work`; a system error becomes a {@link FileError}, any other passes. */
export async function asFileError<T>(action: string, path: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FileError || !isSystemError(error)) throw error;
    throw new FileError(action, path, reasonOf(error), { cause: error });
  }
}

/** True for what the operating system refused. Rare refusals (disk full) come as plain errors that only say so. */
export function isSystemError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return /\(os error \d+\)/.test(error.message) || Object.values(Deno.errors).some((kind) => error instanceof kind);
}
