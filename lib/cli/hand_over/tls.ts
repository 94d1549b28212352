/**
 * TLS with certificates on both sides: what a hand-over over an open network needs, since whoever can speak the stream
 * can take a reservation.
 *
 * Both ends show a certificate, and both accept only one that the given authority signed. The connecting side checks the
 * name too. TLS 1.3, by the runtime.
 *
 * @module
 */
import type { Server, TLSSocket } from "node:tls";
import { PrmigError } from "../../errors.ts";
import { closeIfOpen, type Duplex } from "./duplex.ts";

/** Files, PEM. */
export interface TlsFiles {
  /** Our certificate, with its chain. */
  readonly cert: string;
  /** Our private key. */
  readonly key: string;
  /** The authority that signs both sides' certificates. */
  readonly ca: string;
}

/** The three options of a command, all or none of them. Throws PrmigError `usage` for some of them. */
export function tlsFiles(
  { tlsCert: cert, tlsKey: key, tlsCa: ca }: {
    readonly tlsCert: string | undefined;
    readonly tlsKey: string | undefined;
    readonly tlsCa: string | undefined;
  },
): TlsFiles | null {
  if (cert !== undefined && key !== undefined && ca !== undefined) return { cert, key, ca };
  if (cert === undefined && key === undefined && ca === undefined) return null;
  throw new PrmigError("usage", {
    message: "TLS needs all three: --tls-cert, --tls-key and --tls-ca",
    lun: "not touched",
    remedy: "name this host's certificate, its key, and the authority that signed both hosts' certificates",
  });
}

/** Connects, and returns once both sides have accepted each other. */
export async function connectTls(hostname: string, port: number, files: TlsFiles): Promise<Duplex> {
  const { cert, key, ca } = await load(files);
  const conn = await Deno.connectTls({ hostname, port, cert, key, caCerts: [ca] });
  await conn.handshake();
  const writer = conn.writable.getWriter();
  return {
    readable: conn.readable,
    write: (bytes) => writer.write(bytes),
    close: () => Promise.resolve(closeIfOpen(conn)),
  };
}

/** Listens until a peer comes whose certificate is accepted; those that are not are turned away and reported. */
export async function listenTls(
  { hostname, port, files, signal, report }: {
    readonly hostname: string;
    readonly port: number;
    readonly files: TlsFiles;
    readonly signal: AbortSignal;
    readonly report: (line: string) => void;
  },
): Promise<Duplex> {
  const [{ cert, key, ca }, { createServer }] = await Promise.all([load(files), import("node:tls")]);
  const server: Server = createServer({
    cert,
    key,
    ca: [ca],
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
  });
  server.on("tlsClientError", (error: Error) => report(`a peer was turned away: ${error.message}`));
  const first = Promise.withResolvers<TLSSocket>();
  server.once("secureConnection", first.resolve);
  server.once("error", first.reject);
  const stop = (): void => first.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    server.listen(port, hostname);
    return await overSocket(await first.promise);
  } finally {
    signal.removeEventListener("abort", stop);
    server.close();
  }
}

async function overSocket(socket: TLSSocket): Promise<Duplex> {
  const { Readable } = await import("node:stream");
  let failure: Error | undefined;
  socket.on("error", (error: Error) => failure = error);
  return {
    readable: Readable.toWeb(socket) as ReadableStream<Uint8Array>,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        socket.write(bytes, (error) => error ? reject(error) : resolve());
      }),
    close: () => Promise.resolve(void socket.destroySoon()),
  };
}

async function load(files: TlsFiles): Promise<TlsFiles> {
  const read = async (path: string): Promise<string> => {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      throw new PrmigError("usage", {
        message: `Cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
        lun: "not touched",
        remedy: "name a PEM file that this user can read",
      }, { cause: error });
    }
  };
  const [cert, key, ca] = await Promise.all([read(files.cert), read(files.key), read(files.ca)]);
  return { cert, key, ca };
}
