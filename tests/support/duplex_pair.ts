/**
 * Two ends of one connection, in memory: what one writes the other reads.
 *
 * @module
 */

/** One end. */
export interface End {
  readonly readable: ReadableStream<Uint8Array>;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Both directions end, as when ssh is killed. */
  cut(): void;
}

/** A connection. */
export function duplexPair(): [End, End] {
  let open = true;
  const controllers: ReadableStreamDefaultController<Uint8Array>[] = [];
  const readables = [0, 1].map(() => new ReadableStream<Uint8Array>({ start: (c) => void controllers.push(c) }));
  const cut = (): void => {
    if (open) { for (const controller of controllers) controller.close(); }
    open = false;
  };
  const end = (mine: number): End => ({
    readable: readables[mine]!,
    write: (bytes) => {
      if (!open) return Promise.reject(new Error("Broken pipe (os error 32)"));
      controllers[1 - mine]!.enqueue(bytes.slice());
      return Promise.resolve();
    },
    cut,
  });
  return [end(0), end(1)];
}
