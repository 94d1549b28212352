/**
 * A simulated LUN in a file that several processes share: lock, read, change, replace.
 *
 * A file of ours that was spoiled is set aside under the lock and reported; a file that never was ours is left alone.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { setAside, writeAtomically } from "../files/atomic.ts";
import { FileError, isSystemError, reasonOf } from "../files/file_error.ts";
import { withLock } from "../files/lock.ts";
import { type LunModel, newLunModel } from "../pr/sim/model.ts";
import { newSimDevice, type SimOptions } from "./device.ts";
import { decodeSimLun, encodeSimLun, NotASimLun } from "./file_format.ts";

/** No file of a simulated LUN is larger: 4096 blocks in hex, and the rest. */
const MAX_BYTES = 6 * 1024 * 1024;

/** One simulated LUN's file, seen from one process. */
export class SimStore {
  /** Text and LUN last read or written: the same text need not be checked again. */
  #last: { readonly text: string; readonly model: LunModel } | null = null;

  /** `address` is what messages call it. */
  constructor(readonly path: string, readonly address: string = path) {}

  /**
   * Changes the LUN, one process at a time: `change` gets the LUN as it is and gives the LUN as it shall be, beside
   * whatever the caller wants to know. The same LUN back leaves the file as it is.
   *
   * Rejects with PrmigError `device`: no such file, not a simulated LUN, spoiled, locked for too long, disk full.
   */
  change<T>(change: (model: LunModel) => { readonly model: LunModel; readonly result: T }): Promise<T> {
    return this.#guarded(() => {
      Deno.statSync(this.path); // a slip of the pen should not leave a lock file behind
      return withLock(this.path, async () => {
        const before = await this.#read();
        const { model, result } = change(before);
        if (model !== before) await this.#write(model);
        return result;
      });
    });
  }

  /** The LUN as it is now. Rejects like {@link change}. */
  read(): Promise<LunModel> {
    return this.change((model) => ({ model, result: model }));
  }

  /** Makes the LUN. Gives `false`, and changes nothing, when the file is there already. */
  create(options: SimOptions = {}): Promise<boolean> {
    return this.#guarded(() =>
      withLock(this.path, async () => {
        if (exists(this.path)) return false;
        await this.#write(newLunModel(newSimDevice(options)));
        return true;
      })
    );
  }

  async #read(): Promise<LunModel> {
    try {
      const text = readCapped(this.path);
      if (text === this.#last?.text) return this.#last.model;
      const model = decodeSimLun(text);
      this.#last = { text, model };
      return model;
    } catch (error) {
      if (!(error instanceof NotASimLun)) throw error;
      throw this.#spoiled(error, error.ours ? await setAside(this.path) : null);
    }
  }

  async #write(model: LunModel): Promise<void> {
    const text = encodeSimLun(model);
    // Not durable: a simulated LUN has to outlive programs that are killed, not the machine.
    await writeAtomically(this.path, new TextEncoder().encode(text), { durable: false });
    this.#last = { text, model };
  }

  #spoiled(error: NotASimLun, movedTo: string | null): PrmigError {
    return new PrmigError("device", {
      message: `Cannot use ${this.address}: ${this.path} is no sound simulated LUN (${error.message})`,
      device: this.address,
      lun: movedTo === null ? "The file was left as it is." : `The spoiled file is kept as ${movedTo}.`,
      remedy: movedTo === null
        ? "name the file of a simulated LUN"
        : `look at ${movedTo}, then make a new LUN with &create`,
    }, { cause: error });
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FileError) throw this.#unusable(error.reason, error);
      if (error instanceof Deno.errors.NotFound) throw this.#missing(error);
      if (isSystemError(error)) throw this.#unusable(reasonOf(error), error);
      throw error;
    }
  }

  #missing(cause: Error): PrmigError {
    return new PrmigError("device", {
      message: `Cannot open ${this.address}: there is no simulated LUN in ${this.path}`,
      device: this.address,
      lun: "There is none.",
      remedy: "add &create to the address to make one",
    }, { cause });
  }

  #unusable(reason: string, cause: Error): PrmigError {
    return new PrmigError("device", {
      message: `Cannot use ${this.address}: ${this.path}: ${reason}`,
      device: this.address,
      lun: "The simulated LUN is unchanged.",
      remedy: "make the file and its directory writable for you, or name another file",
    }, { cause });
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The text of a file of at most {@link MAX_BYTES}; anything but a regular file is none. */
function readCapped(path: string): string {
  const { isFile, size } = Deno.statSync(path);
  if (!isFile) throw new NotASimLun(false, "not a regular file");
  if (size > MAX_BYTES) throw new NotASimLun(false, `${size} bytes, where ${MAX_BYTES} is the most`);
  return Deno.readTextFileSync(path);
}
