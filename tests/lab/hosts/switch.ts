/**
 * The network between the lab's hosts: an Ethernet switch in this process. Every machine's card is a Unix stream
 * (QEMU's `-netdev stream`), so no right and no interface of the real machine is needed, and the network can be cut at
 * any frame.
 *
 *     u32 length, frame | u32 length, frame | ...      in both directions, big-endian
 *
 * @module
 */

const LENGTH_BYTES = 4;
const ADDRESS_BYTES = 6;
const MOST_BYTES = 70_000;

/** Sees every frame before it goes on. `false`: it gets lost. */
export type Tap = (from: string, frame: Uint8Array) => boolean;

interface Port {
  readonly name: string;
  send(frame: Uint8Array): void;
}

/** Ports by name; a machine that comes again gets its port again. */
export class Switch implements AsyncDisposable {
  readonly #directory: string;
  readonly #ports = new Map<string, Port>();
  readonly #owners = new Map<string, string>();
  readonly #cut = new Set<string>();
  readonly #listeners: Deno.Listener[] = [];
  readonly #served: Promise<void>[] = [];
  /** Looks at the frames. */
  tap: Tap = () => true;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(names: readonly string[]): Promise<Switch> {
    const made = new Switch(await Deno.makeTempDir({ prefix: "prmig-lab-net-" }));
    for (const name of names) {
      const listener = Deno.listen({ transport: "unix", path: made.#path(name) });
      made.#listeners.push(listener);
      made.#served.push(made.#serve(name, listener));
    }
    return made;
  }

  /** QEMU's arguments for the card of the machine `name`, the `number`th. */
  card(name: string, number: number): string[] {
    const mac = `52:54:00:00:00:${number.toString(16).padStart(2, "0")}`;
    return [
      ...["-netdev", `stream,id=net,server=off,addr.type=unix,addr.path=${this.#path(name)}`],
      ...["-device", `virtio-net-pci,netdev=net,mac=${mac},romfile=`],
    ];
  }

  /** From now on nothing reaches or leaves this machine. */
  cut(name: string): void {
    this.#cut.add(name);
  }

  heal(name: string): void {
    this.#cut.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.#served);
    await Deno.remove(this.#directory, { recursive: true });
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  async #serve(name: string, listener: Deno.Listener): Promise<void> {
    for (;;) {
      let connection: Deno.Conn;
      try {
        connection = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        throw error;
      }
      await this.#plugged(name, connection);
    }
  }

  /** One machine's card, until its QEMU ends. */
  async #plugged(name: string, connection: Deno.Conn): Promise<void> {
    using _ = connection;
    let queue: Promise<unknown> = Promise.resolve();
    const port: Port = {
      name,
      send: (frame) => {
        queue = queue.then(() => writeFrame(connection, frame)).catch(ended);
      },
    };
    this.#ports.set(name, port);
    try {
      for await (const frame of frames(connection)) this.#forward(name, frame);
    } finally {
      this.#ports.delete(name);
      await queue;
    }
  }

  #forward(from: string, frame: Uint8Array): void {
    if (this.#cut.has(from)) return;
    this.#owners.set(addressAt(frame, ADDRESS_BYTES), from);
    if (!this.tap(from, frame)) return;
    const to = this.#owners.get(addressAt(frame, 0));
    for (const port of this.#ports.values()) {
      if (port.name === from || this.#cut.has(port.name)) continue;
      if (to === undefined || to === port.name) port.send(frame);
    }
  }
}

function addressAt(frame: Uint8Array, at: number): string {
  return frame.subarray(at, at + ADDRESS_BYTES).toHex();
}

async function writeFrame(connection: Deno.Conn, frame: Uint8Array): Promise<void> {
  const bytes = new Uint8Array(LENGTH_BYTES + frame.length);
  new DataView(bytes.buffer).setUint32(0, frame.length);
  bytes.set(frame, LENGTH_BYTES);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Whole frames, each in memory of its own. Ends when the machine does, however it does. */
async function* frames(connection: Deno.Conn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(4 * MOST_BYTES);
  const view = new DataView(buffer.buffer);
  for (let filled = 0;;) {
    const count = await connection.read(buffer.subarray(filled)).catch(ended);
    if (count === null) return;
    filled += count;
    let at = 0;
    while (filled - at >= LENGTH_BYTES) {
      const length = view.getUint32(at);
      if (length > MOST_BYTES) throw new RangeError(`a frame of ${length} bytes`);
      if (filled - at < LENGTH_BYTES + length) break;
      yield buffer.slice(at + LENGTH_BYTES, at + LENGTH_BYTES + length);
      at += LENGTH_BYTES + length;
    }
    buffer.copyWithin(0, at, filled);
    filled -= at;
  }
}

/** A machine without power closes its end in whatever way. */
function ended(error: Error): null {
  const ways = [Deno.errors.ConnectionReset, Deno.errors.BrokenPipe, Deno.errors.BadResource, Deno.errors.Interrupted];
  if (ways.some((way) => error instanceof way)) return null;
  throw error;
}
