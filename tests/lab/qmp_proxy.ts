/**
 * A man in the middle of a QMP connection: what prmig tells QEMU, and what QEMU says, passes through the test, which may do
 * something first, or instead. So a test strikes between two exact steps without waiting for a lucky moment.
 *
 * @module
 */

/** What to do with a command before QEMU gets it; `false` keeps it from QEMU for ever. */
export type OnCommand = (command: string) => Promise<boolean> | boolean;

/** What to do with a line of QEMU's before prmig gets it, or never does; whatever QEMU says after it waits as long. */
export type OnSaid = (line: string) => Promise<boolean> | boolean;

/** A socket for prmig in front of QEMU's. */
export class QmpProxy implements Disposable {
  #listener: Deno.UnixListener;
  #open = new Set<Deno.Conn>();

  private constructor(
    readonly path: string,
    private readonly target: string,
    private readonly onCommand: OnCommand,
    private readonly onSaid: OnSaid,
  ) {
    this.#listener = Deno.listen({ transport: "unix", path });
    void this.#serve();
  }

  /** Listens beside `target`, QEMU's own socket. */
  static before(target: string, onCommand: OnCommand, onSaid: OnSaid = () => true): QmpProxy {
    return new QmpProxy(`${target}-${crypto.randomUUID().slice(0, 8)}`, target, onCommand, onSaid);
  }

  /** Safe to call twice. */
  [Symbol.dispose](): void {
    close(this.#listener);
    for (const conn of this.#open) close(conn);
  }

  async #serve(): Promise<void> {
    try {
      for await (const near of this.#listener) void this.#relay(near);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    }
  }

  /** A QEMU that is gone answers by an end. */
  async #relay(near: Deno.Conn): Promise<void> {
    this.#open.add(near);
    let far: Deno.Conn;
    try {
      far = await Deno.connect({ transport: "unix", path: this.target });
    } catch (error) {
      // One that ends at this very moment resets what it has not accepted yet.
      const { ConnectionRefused, ConnectionReset, NotFound } = Deno.errors;
      if (![ConnectionRefused, ConnectionReset, NotFound].some((kind) => error instanceof kind)) throw error;
      return close(near);
    }
    this.#open.add(far);
    const over = (): void => {
      close(near);
      close(far);
    };
    // A prmig that is killed resets its connection: QEMU, which serves one client at a time, must hear of that end too.
    await Promise.allSettled([
      relay(near, far, async (line) => {
        const { execute } = JSON.parse(line) as { execute: string };
        return await this.onCommand(execute);
      }).catch(over),
      relay(far, near, async (line) => await this.onSaid(line)).catch(over),
    ]);
    over();
  }
}

/** Line by line, each when `pass` says so; the end goes on as well. */
async function relay(from: Deno.Conn, to: Deno.Conn, pass: (line: string) => Promise<boolean>): Promise<void> {
  const writer = to.writable.getWriter();
  let text = "";
  for await (const part of from.readable.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end + 1);
      text = text.slice(end + 1);
      if (await pass(line)) await writer.write(new TextEncoder().encode(line));
    }
  }
  await writer.close();
}

function close(conn: { close(): void }): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // it has ended by itself
  }
}
