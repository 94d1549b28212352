/**
 * The other side behind a socket: `unix:PATH` or `tcp:HOST:PORT`.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { removeIfThere } from "../../files/atomic.ts";
import type { CommandContext } from "../context.ts";
import { closeIfOpen, type Duplex } from "./duplex.ts";
import { connectTls, listenTls, type TlsFiles } from "./tls.ts";

/** A socket's address. */
export type SocketAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number };

/** Reads `unix:PATH` or `tcp:HOST:PORT` (`tcp:[::1]:4000`). Throws PrmigError `usage`. */
export function parseSocketAddress(text: string): SocketAddress {
  const unix = /^unix:(.+)$/.exec(text);
  if (unix) return { kind: "unix", path: unix[1]! };
  const tcp = /^tcp:(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(tcp?.[3]);
  if (tcp && port >= 1 && port <= 65535) return { kind: "tcp", hostname: (tcp[1] ?? tcp[2])!, port };
  throw usage(`"${text}" is no socket address`, "write unix:PATH or tcp:HOST:PORT");
}

/** Connects to a listening recv. Throws PrmigError `failed` when nobody answers. */
export async function connectTo(text: string, tls: TlsFiles | null): Promise<Duplex> {
  const address = parseSocketAddress(text);
  refuseOpenNetwork(address, text, tls);
  try {
    if (address.kind === "tcp" && tls) return await connectTls(address.hostname, address.port, tls);
    const conn = address.kind === "unix"
      ? await Deno.connect({ transport: "unix", path: address.path })
      : await Deno.connect({ hostname: address.hostname, port: address.port });
    return overConnection(conn);
  } catch (error) {
    throw unreachable("connect to", text, error);
  }
}

/** Listens, takes the first peer, and closes the door behind it. A unix socket is made 0600. */
export async function listenOn(text: string, tls: TlsFiles | null, { signal, err }: CommandContext): Promise<Duplex> {
  const address = parseSocketAddress(text);
  refuseOpenNetwork(address, text, tls);
  if (address.kind === "tcp" && tls) {
    const { hostname, port } = address;
    return await listenTls({ hostname, port, files: tls, signal, report: (line) => err.line(line) })
      .catch((error) => signal.aborted ? Promise.reject(error) : Promise.reject(unreachable("listen on", text, error)));
  }
  const umask = Deno.umask(0o177);
  let listener: Deno.Listener<Deno.Conn>;
  try {
    listener = address.kind === "unix"
      ? Deno.listen({ transport: "unix", path: address.path })
      : Deno.listen({ hostname: address.hostname, port: address.port });
  } catch (error) {
    throw unreachable("listen on", text, error);
  } finally {
    Deno.umask(umask);
  }
  const stop = (): void => listener.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return overConnection(await listener.accept());
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable("listen on", text, error);
  } finally {
    signal.removeEventListener("abort", stop);
    if (!signal.aborted) listener.close();
    if (address.kind === "unix") await removeIfThere(address.path);
  }
}

function overConnection(conn: Deno.Conn): Duplex {
  const writer = conn.writable.getWriter();
  return {
    readable: conn.readable,
    write: (bytes) => writer.write(bytes),
    close: () => Promise.resolve(closeIfOpen(conn)),
  };
}

/** What goes over the stream can take a reservation; beyond this host it needs TLS with certificates on both sides. */
function refuseOpenNetwork(address: SocketAddress, text: string, tls: TlsFiles | null): void {
  if (tls && address.kind === "unix") throw usage(`TLS is for tcp:HOST:PORT, not for ${text}`, "leave out --tls-...");
  if (tls || address.kind === "unix" || /^(127\.|::1$|localhost$)/.test(address.hostname)) return;
  throw usage(
    `${text} leaves this host, and the stream would be open to everybody on the way`,
    "use --tls-cert, --tls-key and --tls-ca on both sides, or go through ssh: --to 'ssh HOST prmig recv'",
  );
}

function unreachable(action: string, text: string, error: unknown): PrmigError {
  if (error instanceof PrmigError) return error;
  return new PrmigError("failed", {
    message: `Cannot ${action} ${text}: ${error instanceof Error ? error.message : String(error)}`,
    lun: "unchanged: nothing was sent",
    remedy: action === "connect to" ? `start prmig recv --listen ${text} on the other side` : "choose another address",
  }, { cause: error });
}

function usage(message: string, remedy: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy });
}
