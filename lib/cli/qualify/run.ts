/**
 * `prmig qualify`: looks whether the LUN may be played with, plays the scenarios on it, tells what came of them.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { conclude } from "../../qualify/conclusion.ts";
import { type Played, playScenarios } from "../../qualify/run.ts";
import type { Player } from "../../qualify/scenario.ts";
import { PLAYERS } from "../../qualify/scenario.ts";
import { SCENARIOS } from "../../qualify/scenarios.ts";
import { targetKind } from "../../qualify/targets.ts";
import type { CommandContext } from "../context.ts";
import { VERSION } from "../version.ts";
import { CLOCK } from "../hand_over/world.ts";
import { junitFile } from "./junit.ts";
import { htmlFile } from "./page.ts";
import { QualifyProgress } from "./progress.ts";
import { Recorder } from "./recorder.ts";
import { EXIT_OF, type Report, reportJson } from "./report.ts";
import { makeGround, nexusesOf } from "./scratch.ts";
import { openSite, type Site } from "./site.ts";
import { reportText } from "./text.ts";

/** What the command line asks for. */
export interface QualifyInput {
  readonly devices: readonly string[];
  readonly scratch: string | undefined;
  readonly ssh: string;
  readonly junit: string | undefined;
  readonly html: string | undefined;
  /** Milliseconds a far end may take to answer at all. */
  readonly timeout: number;
}

/** Resolves with the exit code of the verdict. Errors: PrmigError. */
export async function runQualify(input: QualifyInput, context: CommandContext): Promise<number> {
  const { devices } = input;
  if (devices.length < 2 || devices.length > PLAYERS.length) {
    throw new PrmigError("usage", {
      message: `two nexuses are needed, or three; ${devices.length} are named`,
      lun: "not touched",
      remedy: "prmig qualify --help",
    });
  }
  const report = await withSites(input, context, (sites) => qualified(sites, input, context));
  if (context.json) context.out.json(reportJson(report));
  else context.out.line(reportText(report, context.out.colour, context.out.columns));
  if (input.junit !== undefined) write(input.junit, junitFile(report));
  if (input.html !== undefined) write(input.html, htmlFile(report));
  return EXIT_OF[report.conclusion.fitness];
}

async function withSites<T>(
  { devices, ssh, timeout }: QualifyInput,
  context: CommandContext,
  work: (sites: readonly Site[]) => Promise<T>,
): Promise<T> {
  const sites: Site[] = [];
  try {
    for (const word of devices) {
      context.signal.throwIfAborted();
      sites.push(await openSite(word, { ssh, timeoutMs: timeout }, context));
    }
    return await work(sites);
  } finally {
    await Promise.all(sites.map((site) => site.close()));
  }
}

async function qualified(sites: readonly Site[], input: QualifyInput, context: CommandContext): Promise<Report> {
  const began = new Date().toISOString();
  const start = performance.now();
  const notes: string[] = [];
  const note = (text: string): void => {
    notes.push(text);
    context.err.line(context.json ? JSON.stringify({ note: text }) : `note: ${text}`);
  };
  await makeGround(sites, { scratch: input.scratch, note, wait: (ms) => CLOCK.sleep(ms) });
  context.signal.throwIfAborted();
  const { identity } = sites[0]!;
  const drivers = sites.flatMap(({ use }) => use.driver ?? []);
  const target = targetKind({ vendor: identity.vendor, product: identity.product, drivers });
  const recorder = new Recorder();
  const progress = new QualifyProgress(context, SCENARIOS.length);
  let played: Played;
  try {
    played = await playScenarios(SCENARIOS, recorder.over(nexusesOf(sites)), {
      ...target.choices,
      signal: context.signal,
      onScenario: (scenario) => {
        recorder.scenario = scenario?.id ?? null;
        progress.scenario(scenario);
      },
      onResult: (result) => progress.result(result),
    });
  } finally {
    progress.end();
  }
  const { results, lun } = played;
  return {
    version: VERSION,
    began,
    tookMs: performance.now() - start,
    identity,
    capabilities: lun.capabilities,
    target: target.name,
    nexuses: sites.map(({ address, use }, i) => {
      const player: Player = PLAYERS[i]!;
      return { player, address, port: lun.ports?.[player] ?? null, driver: use.driver };
    }),
    results,
    conclusion: conclude(results, lun),
    notes,
    sent: recorder.sent,
  };
}

function write(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new PrmigError("failed", {
      message: `Cannot write ${path}: ${error.message}`,
      lun: "clean: the scenarios were played to their end",
      remedy: "name another file, and run it again",
    }, { cause: error });
  }
}
