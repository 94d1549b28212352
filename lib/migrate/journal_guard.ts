/**
 * The one report of a journal that cannot be used, whichever journal it is.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { FileError } from "../files/file_error.ts";

/** Does file work on a journal; what the system refuses becomes a PrmigError `failed` that says what is true of the LUN. */
export async function guardJournal<T>(path: string, lun: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileError || error instanceof Error && error.name in Deno.errors)) throw error;
    throw new PrmigError("failed", {
      message: `Cannot write the journal ${path}: ${error.message}`,
      lun,
      remedy: "make room and access there, or name another place with PRMIG_STATE_DIR",
    }, { cause: error });
  }
}
