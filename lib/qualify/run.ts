/**
 * Plays scenarios over two or three nexuses of one scratch LUN, whatever kind of nexus they are.
 *
 *     tidy -> steps in order -> judge against what is known of the target -> (after the last) tidy
 *
 * What the scenarios put on the LUN is taken away however the playing ends; what others put there never is.
 *
 * @module
 */
import { toHex } from "../bytes.ts";
import { PrmigError } from "../errors.ts";
import type { Reply } from "../pr/nexus.ts";
import { formatKey } from "../pr/types.ts";
import { bytesOf } from "./act_bytes.ts";
import { type BenchLun, prepare } from "./bench_lun.ts";
import { type RunChoices, skipReason } from "./choices.ts";
import { observe, readGeneration, wantedState } from "./observe.ts";
import { nexusOf, type SomeNexuses } from "./players.ts";
import type { CommandStep, EventStep, Player, Scenario, StateStep, Step } from "./scenario.ts";
import { resultOf, send } from "./talk.ts";
import { tidy } from "./tidy.ts";
import { judge, type ScenarioResult, type StepResult } from "./verdict.ts";
import { describeStep } from "./wording.ts";

export type { RunChoices } from "./choices.ts";

/** What was played, and what was learned of the LUN. */
export interface Played {
  /** One a scenario, in order. */
  readonly results: readonly ScenarioResult[];
  /** The LUN, as it introduced itself. */
  readonly lun: BenchLun<SomeNexuses>;
}

/** As {@link playScenarios}, for those who want the results alone. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  nexuses: SomeNexuses,
  choices: RunChoices = {},
): Promise<ScenarioResult[]> {
  return [...(await playScenarios(scenarios, nexuses, choices)).results];
}

/** Plays one scenario, on a LUN tidied before and after. Rejects as {@link playScenarios}. */
export async function runScenario(
  scenario: Scenario,
  nexuses: SomeNexuses,
  choices: RunChoices = {},
): Promise<ScenarioResult> {
  const [result] = await runScenarios([scenario], nexuses, choices);
  if (result === undefined) throw new RangeError(`${scenario.id} gave no result`);
  return result;
}

/**
 * Plays scenarios in order and leaves the LUN without anything of theirs.
 *
 * Rejects with PrmigError: `device` when the LUN cannot be used, or a nexus breaks; `refused` when two nexuses are one,
 * or somebody else registers; `unsure` when it could not be tidied up; with the signal's reason when that is aborted.
 */
export async function playScenarios(
  scenarios: readonly Scenario[],
  nexuses: SomeNexuses,
  choices: RunChoices = {},
): Promise<Played> {
  try {
    const lun = await prepare(nexuses, makeReady);
    const results: ScenarioResult[] = [];
    for (const each of scenarios) {
      choices.signal?.throwIfAborted();
      choices.onScenario?.(each);
      const result = await play(lun, each, choices);
      results.push(result);
      choices.onResult?.(result);
    }
    choices.onScenario?.(null);
    await tidy(nexuses);
    return { results, lun };
  } catch (error) {
    choices.onScenario?.(null);
    await tidy(nexuses);
    choices.signal?.throwIfAborted(); // Ctrl-C ends ssh, too: that is no failure of the other host
    throw error instanceof PrmigError && error.kind !== "interrupted" ? leftClean(error) : error;
  }
}

/** The same failure, after tidying up. */
function leftClean({ kind, facts }: PrmigError): PrmigError {
  return new PrmigError(kind === "unsure" ? "device" : kind, {
    ...facts,
    lun: "Clean: what the scenarios had put there is taken away.",
  });
}

/** A LUN without anything of ours, and without anybody else; all players at hand. */
async function makeReady(nexuses: SomeNexuses): Promise<void> {
  const { foreign, broken } = await tidy(nexuses);
  for (const error of broken.values()) throw error;
  if (foreign.length === 0) return;
  throw new PrmigError("refused", {
    message: `Cannot go on with the scenarios: somebody else has registered with ${nexuses.A.address} (key ${
      formatKey(foreign[0]!)
    })`,
    device: nexuses.A.address,
    lun: "",
    remedy: `see who uses it: prmig dump ${nexuses.A.address}; a scratch LUN is one that nobody uses`,
  });
}

async function play(
  lun: BenchLun<SomeNexuses>,
  scenario: Scenario,
  choices: RunChoices,
): Promise<ScenarioResult> {
  const skip = skipReason(lun, scenario, choices);
  if (skip !== null) return { scenario, verdict: "skipped", steps: [], ...skip };
  await makeReady(lun.nexuses);
  const game = new Game(lun, choices, await readGeneration(lun.nexuses.A) ?? 0);
  const steps: StepResult[] = [];
  for (const [i, step] of scenario.steps.entries()) {
    choices.signal?.throwIfAborted();
    const { wanted, seen, ok } = await game.step(step);
    steps.push({ number: i + 1, what: describeStep(step), wanted, seen, ok });
  }
  return judge(scenario, steps, choices.deviations ?? []);
}

interface Outcome {
  readonly wanted: string;
  readonly seen: string;
  readonly ok: boolean;
}

/** One scenario being played: who sent last, and what PRGENERATION was when the LUN was last looked at. */
class Game {
  #last: Player = "A";

  constructor(readonly lun: BenchLun<SomeNexuses>, readonly choices: RunChoices, private generation: number) {}

  step(step: Step): Promise<Outcome> {
    switch (step.kind) {
      case "command":
        return this.#command(step);
      case "state":
        return this.#state(step);
      case "event":
        return this.#event(step);
    }
  }

  async #command(step: CommandStep): Promise<Outcome> {
    this.#last = step.by;
    const { cdb, data } = bytesOf(this.lun, step.act);
    const own = nexusOf(this.lun.nexuses, step.by);
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

  async #state(step: StateStep): Promise<Outcome> {
    const wanted = wantedState(step, this.lun.ports === null);
    const observed = await observe(this.lun, nexusOf(this.lun.nexuses, step.via ?? this.#last), step, this.generation);
    if ("failed" in observed) return { wanted, seen: observed.failed, ok: false };
    this.generation = observed.generation;
    return { wanted, seen: observed.text, ok: observed.text === wanted };
  }

  async #event({ event, of }: EventStep): Promise<Outcome> {
    await this.choices.events?.[event]?.(of);
    return { wanted: "done", seen: "done", ok: true };
  }
}

/** True when the data-in is as wanted: `..` any byte, a last `*` any rest. */
function fits(wanted: string, { dataIn }: Reply): boolean {
  const pattern = wanted.toLowerCase().replace(/\*$/, "[0-9a-f]*");
  return new RegExp(`^${pattern}$`).test(toHex(dataIn));
}
