/**
 * Reads helpers' events as they are written: those of every helper of this host, from now on or from the beginning.
 *
 * Reads files alone; costs nothing while nothing is written (the kernel reports changes of the directory). Events of one
 * helper come in order; those of two helpers as they are found.
 *
 * @module
 */
import { join } from "../files/paths.ts";
import { entries } from "../sg/host.ts";
import { eventFromJson, type PrEvent } from "./event.ts";
import { EVENT_DIRECTORY } from "./event_log.ts";

const NAME = /^helper-\d+\.ndjson$/;

/** How to read. */
export interface FeedOptions {
  /** `true`: events that are there already as well. */
  readonly fromStart: boolean;
  readonly signal: AbortSignal;
}

/** Events of all helpers of a run directory, until aborted. The directory may come into being later. */
export async function* followEvents(runDirectory: string, options: FeedOptions): AsyncGenerator<PrEvent> {
  const { fromStart, signal } = options;
  const directory = join(runDirectory, EVENT_DIRECTORY);
  Deno.mkdirSync(directory, { recursive: true, mode: 0o750 });
  if (signal.aborted) return;
  const watcher = Deno.watchFs(directory, { recursive: false });
  const stop = (): void => watcher.close();
  signal.addEventListener("abort", stop, { once: true });
  const tails = new Map<string, Tail>();
  try {
    yield* read(directory, tails, fromStart);
    for await (const change of watcher) {
      if (change.kind === "access") continue;
      yield* read(directory, tails, true); // a file that appears now holds nothing but news
    }
  } finally {
    signal.removeEventListener("abort", stop);
    if (!signal.aborted) watcher.close();
    for (const tail of tails.values()) tail.close();
  }
}

function* read(directory: string, tails: Map<string, Tail>, fromStart: boolean): Generator<PrEvent> {
  const names = entries(directory).filter((name) => NAME.test(name));
  for (const name of names) {
    const path = join(directory, name);
    const tail = tails.get(name) ?? Tail.open(path, fromStart);
    if (!tail) continue; // gone between listing and opening
    tails.set(name, tail);
    yield* tail.events();
    if (!tail.replaced(path)) continue;
    tail.close(); // its last lines have been read: go on with its successor
    tails.delete(name);
    const next = Tail.open(path, true);
    if (!next) continue;
    tails.set(name, next);
    yield* next.events();
  }
  for (const [name, tail] of tails) {
    if (names.includes(name)) continue;
    yield* tail.events();
    tail.close();
    tails.delete(name);
  }
}

/** One file, read from where the last reading ended. */
class Tail {
  #rest = "";
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(65536);
  readonly #inode: number | null;

  private constructor(readonly file: Deno.FsFile) {
    this.#inode = file.statSync().ino;
  }

  static open(path: string, fromStart: boolean): Tail | null {
    try {
      const file = Deno.openSync(path);
      if (!fromStart) file.seekSync(0, Deno.SeekMode.End);
      return new Tail(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  *events(): Generator<PrEvent> {
    for (let count = this.#read(); count > 0; count = this.#read()) {
      const lines = (this.#rest + this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true })).split("\n");
      this.#rest = lines.pop()!;
      for (const line of lines) {
        const event = eventFromJson(line);
        if (event) yield event;
      }
    }
  }

  /** True when the name means another file by now. */
  replaced(path: string): boolean {
    try {
      return Deno.statSync(path).ino !== this.#inode;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  close(): void {
    this.file.close();
  }

  #read(): number {
    return this.file.readSync(this.#buffer) ?? 0;
  }
}
