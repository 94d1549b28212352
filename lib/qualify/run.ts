/**
 * Plays scenarios over three nexuses of one scratch LUN, whatever kind of nexus they are.
 *
 *     clean -> steps in order -> judge against what is known of the target -> (after the last) clean
 *
 * @module
 */
import { fromHex, toHex } from "../bytes.ts";
import { prInCdb, prOutCdb } from "../pr/cdb.ts";
import type { Nexus, Reply } from "../pr/nexus.ts";
import { encodePrOut, encodeRegisterAndMove } from "../pr/pr_out.ts";
import { PR_OUT_ACTION } from "../pr/cdb.ts";
import { type BenchLun, clean, type Nexuses, prepare } from "./bench_lun.ts";
import { observe, readGeneration, wantedState } from "./observe.ts";
import { ordinaryCommand, type RawCommand } from "./ordinary.ts";
import {
  type Act,
  type CommandStep,
  type EventStep,
  type Need,
  type OutRequest,
  type Player,
  type Scenario,
  type StateStep,
  type Step,
  type Trouble,
} from "./scenario.ts";
import { resultOf, send } from "./talk.ts";
import { type Deviation, judge, type ScenarioResult, type StepResult } from "./verdict.ts";
import { describeStep } from "./wording.ts";

/** What the runner is told of the target, and what it can do to it besides sending commands. */
export interface RunChoices {
  /** Known differences of this kind of target. */
  readonly deviations?: readonly Deviation[];
  /** Kinds the target is of: scenarios unsafe on one of them are skipped. */
  readonly kinds?: readonly string[];
  /** Makes things happen; a scenario that needs one not offered is skipped. */
  readonly events?: Partial<Record<EventStep["event"], (of: Player | null) => Promise<void> | void>>;
  /** Puts trouble in the way of the next command of a nexus. */
  readonly trouble?: (nexus: Nexus, trouble: Trouble) => Nexus;
  /** The target is a LIO that cannot write its APTPL file. */
  readonly noAptplFile?: boolean;
  /** The target executes REGISTER AND MOVE; true unless said otherwise. */
  readonly registerAndMove?: boolean;
  /** The target executes PREEMPT AND ABORT; true unless said otherwise. */
  readonly preemptAndAbort?: boolean;
  /** Told after every scenario. */
  readonly onResult?: (result: ScenarioResult) => void;
}

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

function skipReason(lun: BenchLun, scenario: Scenario, choices: RunChoices): string | null {
  for (const kind of choices.kinds ?? []) {
    const danger = scenario.unsafeOn[kind];
    if (danger !== undefined) return `unsafe on ${kind}: ${danger}`;
  }
  const type = scenario.types.find((each) => !lun.capabilities.types.some((known) => known === each));
  if (type !== undefined) return `the target does not reserve type ${type}`;
  const missing = scenario.needs.find((need) => !isMet(need, lun, choices));
  return missing === undefined ? null : `needs ${missing}`;
}

function isMet(need: Need, { capabilities, ports }: BenchLun, choices: RunChoices): boolean {
  switch (need) {
    case "powerCycle":
    case "reset":
    case "nexusLoss":
    case "loseInformation":
      return choices.events?.[need] !== undefined;
    case "trouble":
      return choices.trouble !== undefined;
    case "readFullStatus":
      return ports !== null;
    case "registerAndMove":
      return choices.registerAndMove ?? true;
    case "preemptAndAbort":
      return choices.preemptAndAbort ?? true;
    case "specIPt":
      return capabilities.specifyInitiatorPorts;
    case "aptpl":
      return capabilities.ptplCapable;
    case "replaceLost":
      return capabilities.replaceLost;
    case "compatibleReservations":
      return capabilities.compatibleReservationHandling;
    case "noAptplFile":
      return choices.noAptplFile ?? false;
  }
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

function bytesOf(lun: BenchLun, act: Act): RawCommand {
  switch (act.kind) {
    case "out":
      return outBytes(lun, act.request);
    case "in":
      return { cdb: prInCdb(act.action, act.allocationLength), data: act.allocationLength };
    case "ordinary":
      return ordinaryCommand(act.name, lun.blockBytes);
    case "raw":
      return { cdb: fromHex(act.cdb), data: fromHex(act.dataOut) };
  }
}

function outBytes({ ports }: BenchLun, request: OutRequest): RawCommand {
  const { action, rk = 0n, sark = 0n, scope = 0, type = 0, aptpl = false, allTgPt = false, unreg = false } = request;
  const portOf = (player: Player): NonNullable<BenchLun["ports"]>[Player] => {
    if (ports === null) throw new RangeError("a scenario names a player's port, and does not need READ FULL STATUS");
    return ports[player];
  };
  const data = request.action === PR_OUT_ACTION.registerAndMove
    ? encodeRegisterAndMove({
      rk,
      sark,
      unreg,
      aptpl,
      relativeTargetPort: numberOf(portOf(request.to ?? "A").relativeTargetPort),
      transportId: portOf(request.to ?? "A").transportId,
    })
    : encodePrOut({
      rk,
      sark,
      aptpl,
      allTgPt,
      specIPt: request.naming?.map((player) => portOf(player).transportId) ?? null,
    });
  return { cdb: prOutCdb({ action, scope, type, parameterListLength: data.length }), data };
}

function numberOf(port: number | "all"): number {
  return port === "all" ? 1 : port;
}
