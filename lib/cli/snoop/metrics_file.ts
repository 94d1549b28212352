/**
 * The metrics as a file for node_exporter's textfile collector: replaced whole, and readable by everybody.
 *
 * It holds counts and no keys, so it is the one file of prmig that others may read.
 *
 * @module
 */
import type { LogLine } from "../../snoop/log_line.ts";

/** A file of metrics. A failure is logged once, and again after it has worked in between. */
export class MetricsFile {
  #failing = false;

  constructor(readonly path: string, readonly log: (line: LogLine) => void) {}

  /** Replaces the file. */
  write(text: string): void {
    const temporary = `${this.path}.${Deno.pid}.tmp`; // not *.prom, which the collector would read
    try {
      Deno.writeTextFileSync(temporary, text, { mode: 0o644 });
      Deno.renameSync(temporary, this.path);
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      if (!this.#failing) {
        this.log({ level: "warning", message: "metrics cannot be written", facts: { why: error.message } });
      }
      this.#failing = true;
    }
  }
}
