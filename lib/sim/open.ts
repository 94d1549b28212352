/**
 * Opens a simulated LUN in a file as a Nexus, and makes new ones.
 *
 * A missing file is an error (exit 4), as a missing disk is: nobody should conjure up an empty LUN by a slip of the
 * pen. `&create` in the address, or {@link createSimLun}, makes one.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { dirname, join } from "../files/paths.ts";
import type { InitiatorHint, Nexus, Reply } from "../pr/nexus.ts";
import { readOnly } from "../pr/read_only.ts";
import { powerCycle } from "../pr/sim/events.ts";
import type { LunModel } from "../pr/sim/model.ts";
import { type NexusId, portOf, simTransportId } from "../pr/sim/nexus_id.ts";
import { parseSimAddress, type SimAddress } from "./address.ts";
import { closedError } from "./closed.ts";
import type { SimOptions } from "./device.ts";
import { execute } from "./reply.ts";
import { SimStore } from "./store.ts";

/**
 * Opens `sim:FILE?nexus=NAME`. Sends no command, but reads the file, so that what is wrong with it shows now.
 * With `writable: false` a PERSISTENT RESERVE OUT is refused.
 *
 * Rejects with PrmigError: `usage` for a bad address, `device` for a missing or unsound file, a port the device does
 * not have, or another profile than the address demands.
 */
export async function openSimNexus(text: string, { writable = true }: { writable?: boolean } = {}): Promise<Nexus> {
  const address = parseSimAddress(text);
  const store = new SimStore(await canonical(address.file), text);
  if (address.create) await store.create({ profile: address.profile ?? undefined });
  refuseMismatch(text, address, await store.read());
  const nexus = new SimNexus(text, address.nexus, store, address.delayMs);
  return writable ? nexus : readOnly(nexus);
}

/** Makes a simulated LUN in a new file. Rejects with PrmigError `refused` when the file is there already. */
export async function createSimLun(path: string, options: SimOptions = {}): Promise<void> {
  if (await new SimStore(await canonical(path)).create(options)) return;
  throw new PrmigError("refused", {
    message: `Cannot make a simulated LUN: ${path} is there already`,
    lun: "What is in the file was not touched.",
    remedy: `remove ${path}, or name another file`,
  });
}

/** The simulated LUN in a file, as it is now. Rejects with PrmigError `device`. */
export async function readSimLun(path: string): Promise<LunModel> {
  return await new SimStore(await canonical(path)).read();
}

/** Takes power from the simulated LUN in a file, and gives it back. Rejects with PrmigError `device`. */
export async function powerCycleSimLun(path: string): Promise<void> {
  await new SimStore(await canonical(path)).change((model) => ({ model: powerCycle(model), result: undefined }));
}

class SimNexus implements Nexus {
  readonly initiator: InitiatorHint;
  #closed = false;

  constructor(readonly address: string, readonly id: NexusId, readonly store: SimStore, readonly delayMs: number) {
    this.initiator = { transportId: simTransportId(id), match: "exact" };
  }

  async execute(cdb: Uint8Array, data: Uint8Array | number): Promise<Reply> {
    if (this.#closed) throw closedError(this.address);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    return await this.store.change((before) => {
      const { model, reply } = execute(before, this.id, cdb, data);
      return { model, result: reply };
    });
  }

  close(): void {
    this.#closed = true;
  }
}

/** One name for one file, so that everybody locks the same: links are followed, relative paths made absolute. */
async function canonical(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return path; // using it will say what is wrong
  }
  try {
    return join(await Deno.realPath(dirname(path)), path.slice(path.lastIndexOf("/") + 1));
  } catch (error) {
    if (error instanceof Error) return path;
    throw error;
  }
}

function refuseMismatch(text: string, address: SimAddress, { device }: LunModel): void {
  const port = portOf(address.nexus);
  const wrong = !device.ports.includes(port)
    ? `it has the target ports ${device.ports.join(", ")}, and not ${port}`
    : address.profile !== null && address.profile !== device.profile
    ? `it behaves like ${device.profile.name}, and not like ${address.profile.name}`
    : null;
  if (wrong === null) return;
  throw new PrmigError("device", {
    message: `Cannot open ${text}: ${wrong}`,
    device: text,
    lun: "It was not touched.",
    remedy: "ask for what it is, or make another LUN",
  });
}
