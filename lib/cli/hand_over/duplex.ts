/**
 * Bytes both ways between the two sides of a hand-over, whatever carries them.
 *
 * @module
 */

/** Bytes both ways. */
export interface Duplex {
  readonly readable: ReadableStream<Uint8Array>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  close(): Promise<void>;
}

/** Closes a connection; one that its peer has ended may be closed already. */
export function closeIfOpen(conn: { close(): void }): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
