/**
 * What a person sees while scenarios are played: one line that changes on a terminal, every failure as it happens.
 *
 * @module
 */
import type { Scenario } from "../../qualify/scenario.ts";
import { describeResult, type ScenarioResult } from "../../qualify/verdict.ts";
import type { CommandContext } from "../context.ts";
import { LiveLine } from "../migrate/live_line.ts";
import { streamSink } from "../printer.ts";

/** Tells on stderr; with --json nothing at all. */
export class QualifyProgress {
  readonly #live: LiveLine | null;
  #done = 0;

  constructor(private readonly context: CommandContext, private readonly total: number) {
    const { err, json, verbose } = context;
    const sink = streamSink(Deno.stderr);
    // With -v the commands themselves are the progress.
    const live = err.isTerminal && !json && !verbose;
    this.#live = live ? new LiveLine((text) => sink(new TextEncoder().encode(text))) : null;
  }

  /** A scenario begins. */
  scenario(scenario: Scenario | null): void {
    const { err } = this.context;
    const text = scenario === null ? "tidying up" : `${this.#done}/${this.total}  ${scenario.id} ${scenario.title}`;
    this.#live?.show(text.slice(0, err.columns - 1));
  }

  /** A scenario ended. */
  result(result: ScenarioResult): void {
    this.#done++;
    const { err, json } = this.context;
    if (json || result.verdict !== "fail") return;
    const tell = (): void => err.line(describeResult(result));
    if (this.#live) this.#live.above(tell);
    else tell();
  }

  /** The last of it. */
  end(): void {
    this.#live?.end();
  }
}
