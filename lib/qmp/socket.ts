/**
 * The way to a QEMU on this host: its QMP socket.
 *
 * @module
 */
import type { QmpChannel } from "./client.ts";
import { QmpError } from "./error.ts";

/** Where a QMP socket is. */
export type QmpAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number };

/** Reads `PATH`, `unix:PATH` or `tcp:HOST:PORT`; `null` for anything else. */
export function parseQmpAddress(text: string): QmpAddress | null {
  const tcp = /^tcp:(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(tcp?.[3]);
  if (tcp && port >= 1 && port <= 65535) return { kind: "tcp", hostname: (tcp[1] ?? tcp[2])!, port };
  const path = /^(?:unix:)?(.*\/.*)$/.exec(text)?.[1];
  return path === undefined || text.startsWith("tcp:") ? null : { kind: "unix", path };
}

/** A connection to a QEMU on this host. */
export interface QmpSocket extends QmpChannel {
  /** Tells QEMU that nothing more comes; what it still says can be read. Harmless when QEMU has gone. */
  endWriting(): Promise<void>;
}

/** Connects. Throws {@link QmpError} `closed` when nobody listens there. */
export async function openQmpSocket(address: QmpAddress): Promise<QmpSocket> {
  const name = address.kind === "unix" ? address.path : `tcp:${address.hostname}:${address.port}`;
  let conn: Deno.Conn;
  try {
    conn = address.kind === "unix"
      ? await Deno.connect({ transport: "unix", path: address.path })
      : await Deno.connect({ hostname: address.hostname, port: address.port });
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/ \(os error \d+\).*$/s, "") : String(error);
    throw new QmpError("closed", `cannot connect to ${name}: ${why}`, {
      address: name,
      command: null,
      mayBeDone: false,
    }, { cause: error });
  }
  const writer = conn.writable.getWriter();
  return {
    address: name,
    readable: conn.readable,
    write: (bytes) => writer.write(bytes),
    endWriting: () => unlessGone(() => conn.closeWrite()),
    close: () => unlessGone(() => conn.close()),
  };
}

/** QEMU may have been first to end it. */
async function unlessGone(end: () => void | Promise<void>): Promise<void> {
  try {
    await end();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.NotConnected)) throw error;
  }
}
