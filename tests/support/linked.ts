/**
 * A stream that runs both ways, within one process: the two ends of a hand-over that talks.
 *
 * @module
 */
import { linesOf } from "../../lib/migrate/lines.ts";
import { streamLink } from "../../lib/migrate/links.ts";
import type { Clock, Link } from "../../lib/migrate/ports.ts";

/** The source's end and the destination's; `cut` ends it for both, as a lost connection does. */
export function linked(clock: Clock): { source: Link; destination: Link; cut(): void } {
  const [there, back] = [new TransformStream<Uint8Array, Uint8Array>(), new TransformStream<Uint8Array, Uint8Array>()];
  const [toThere, toBack] = [there.writable.getWriter(), back.writable.getWriter()];
  const end = (from: ReadableStream<Uint8Array>, to: WritableStreamDefaultWriter<Uint8Array>): Link =>
    streamLink({ lines: linesOf(from), write: (bytes) => to.write(bytes), clock, onBroken: () => undefined });
  return {
    source: end(back.readable, toThere),
    destination: end(there.readable, toBack),
    cut: () => {
      for (const writer of [toThere, toBack]) writer.abort().catch(() => undefined);
    },
  };
}
