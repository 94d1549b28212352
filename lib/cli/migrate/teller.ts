/**
 * What a migration tells while it runs: a bar on a terminal, JSON lines with --json, a line every few seconds otherwise.
 *
 * @module
 */
import type { Progress } from "../../migrate/ports.ts";
import type { MigrationPlan } from "../../migrate/vm/migrate_guest.ts";
import type { MigrationInfo } from "../../qmp/qemu.ts";
import type { CommandContext } from "../context.ts";
import { streamSink } from "../printer.ts";
import { LiveLine } from "./live_line.ts";
import { progressJson, progressLine } from "./progress.ts";
import { planJson, planText } from "./result.ts";

const EVERY_MS = 5000;

/** Tells people or programs, on stderr. */
export class Teller {
  readonly #live: LiveLine | null;
  #lastAt = -Infinity;

  constructor(private readonly context: CommandContext, private readonly now: () => number) {
    const sink = streamSink(Deno.stderr);
    const live = context.err.isTerminal && !context.json;
    this.#live = live ? new LiveLine((text) => sink(new TextEncoder().encode(text))) : null;
  }

  /** What was decided. */
  plan(plan: MigrationPlan): void {
    const { json, err } = this.context;
    if (json) err.json({ progress: planJson(plan) });
    else for (const line of planText(plan)) err.line(line);
  }

  /** A step. */
  step({ phase, text, device }: Progress): void {
    const { json, err } = this.context;
    if (json) return err.json({ progress: { phase, text, device } });
    const line = `${phase}: ${device === undefined ? "" : `${device}: `}${text}`;
    if (this.#live) this.#live.above(() => err.line(line));
    else err.line(line);
  }

  /** How far the memory has got. */
  memory(info: MigrationInfo): void {
    const { json, err } = this.context;
    if (info.ram === null || info.status !== "active") return;
    if (this.#live) return this.#live.show(progressLine(info, err.columns));
    const due = this.now() - this.#lastAt >= EVERY_MS;
    if (!json && !due) return;
    this.#lastAt = this.now();
    if (json) err.json({ progress: progressJson(info) });
    else err.line(progressLine(info));
  }

  /** The last of it. */
  end(): void {
    this.#live?.end();
  }
}
