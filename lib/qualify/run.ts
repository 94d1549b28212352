/**
 * Plays scenarios over three nexuses of one scratch LUN, whatever kind of nexus they are.
 *
 *     clean -> steps in order -> judge against what is known of the target -> (after the last) clean
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import type { Reply } from "../pr/nexus.ts";
import { bytesOf } from "./act_bytes.ts";
import { type BenchLun, clean, type Nexuses, prepare } from "./bench_lun.ts";
import { type RunChoices, skipReason } from "./choices.ts";
import { observe, readGeneration, wantedState } from "./observe.ts";
import type { CommandStep, EventStep, Player, Scenario, StateStep, Step } from "./scenario.ts";
import { resultOf, send } from "./talk.ts";
import { judge, type ScenarioResult, type StepResult } from "./verdict.ts";
import { describeStep } from "./wording.ts";

export type { RunChoices } from "./choices.ts";

/** Plays scenarios in order and leaves the LUN clean. Rejects with PrmigError when the LUN cannot be used at all. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  nexuses: Nexuses,
  choices: RunChoices = {},
): Promise<ScenarioResult[]> {
  const lun = await prepare(nexuses);
  const results: ScenarioResult[] = [];
  try {
    for (const each of scenarios) {
      const result = await play(lun, each, choices);
      results.push(result);
      choices.onResult?.(result);
    }
  } finally {
    await clean(nexuses);
  }
  return results;
}

/** Plays one scenario, on a LUN cleaned before and after. Rejects as {@link runScenarios}. */
export async function runScenario(
  scenario: Scenario,
  nexuses: Nexuses,
  choices: RunChoices = {},
): Promise<ScenarioResult> {
  const [result] = await runScenarios([scenario], nexuses, choices);
  if (result === undefined) throw new RangeError(`${scenario.id} gave no result`);
  return result;
}

async function play(lun: BenchLun, scenario: Scenario, choices: RunChoices): Promise<ScenarioResult> {
  const why = skipReason(lun, scenario, choices);
  if (why !== null) return { scenario, verdict: "skipped", steps: [], reason: why };
  await clean(lun.nexuses);
  const game = new Game(lun, choices, await readGeneration(lun.nexuses.A) ?? 0);
  const steps: StepResult[] = [];
  for (const [i, step] of scenario.steps.entries()) {
    const { wanted, seen, ok } = await game.step(step);
    steps.push({ number: i + 1, what: describeStep(step), wanted, seen, ok });
  }
  return judge(scenario, steps, choices.deviations ?? []);
}

interface Played {
  readonly wanted: string;
  readonly seen: string;
  readonly ok: boolean;
}

/** One scenario being played: who sent last, and what PRGENERATION was when the LUN was last looked at. */
class Game {
  #last: Player = "A";

  constructor(readonly lun: BenchLun, readonly choices: RunChoices, private generation: number) {}

  step(step: Step): Promise<Played> {
    switch (step.kind) {
      case "command":
        return this.#command(step);
      case "state":
        return this.#state(step);
      case "event":
        return this.#event(step);
    }
  }

  async #command(step: CommandStep): Promise<Played> {
    this.#last = step.by;
    const { cdb, data } = bytesOf(this.lun, step.act);
    const own = this.lun.nexuses[step.by];
    const nexus = step.trouble === null ? own : this.choices.trouble?.(own, step.trouble) ?? own;
    const reply = await send(nexus, cdb, data);
    const result = resultOf(reply);
    const wanted = step.want.join(" or ");
    if (!step.want.includes(result) || result !== "good" || step.data === null) {
      return { wanted, seen: result, ok: step.want.includes(result) };
    }
    const ok = fits(step.data, reply);
    return { wanted: `good, data ${step.data}`, seen: `good, data ${ok ? step.data : toHex(reply.dataIn)}`, ok };
  }

  async #state(step: StateStep): Promise<Played> {
    const wanted = wantedState(step, this.lun.ports === null);
    const observed = await observe(this.lun, this.lun.nexuses[step.via ?? this.#last], step, this.generation);
    if ("failed" in observed) return { wanted, seen: observed.failed, ok: false };
    this.generation = observed.generation;
    return { wanted, seen: observed.text, ok: observed.text === wanted };
  }

  async #event({ event, of }: EventStep): Promise<Played> {
    await this.choices.events?.[event]?.(of);
    return { wanted: "done", seen: "done", ok: true };
  }
}

/** True when the data-in is as wanted: `..` any byte, a last `*` any rest. */
function fits(wanted: string, { dataIn }: Reply): boolean {
  const pattern = wanted.toLowerCase().replace(/\*$/, "[0-9a-f]*");
  return new RegExp(`^${pattern}$`).test(toHex(dataIn));
}
