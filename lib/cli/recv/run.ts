/**
 * `prmig recv`: takes an offer from stdin or from a socket, checks it, and takes the LUNs over.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { lookAtAll, type Run } from "../../migrate/run.ts";
import { findLegs, startDestination } from "../../migrate/start.ts";
import { journalDirectory } from "../../migrate/journal.ts";
import { refuseReplayed } from "../../migrate/replayed.ts";
import { refuseUnlessPossible } from "../../migrate/checks.ts";
import { truthOf } from "../../migrate/truth.ts";
import type { OfferStream } from "../../migrate/stream.ts";
import type { CommandContext } from "../context.ts";
import { acceptOffer, type Incoming } from "../hand_over/channel.ts";
import type { Ports } from "../../migrate/ports.ts";
import { rehearse } from "../hand_over/rehearse.ts";
import { tlsFiles } from "../hand_over/tls.ts";
import { finder, OpenLuns } from "../hand_over/luns.ts";
import { resultJson, resultText } from "../hand_over/result.ts";
import { CLOCK, openPorts } from "../hand_over/world.ts";
import { TurnBack } from "../../migrate/reasons.ts";

/** What the command line asks for. */
export interface RecvInput {
  readonly devices: readonly string[];
  readonly listen: string | undefined;
  /** Stop after the checks. */
  readonly dryRun: boolean;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsCa: string | undefined;
  /** Bounds every wait, in milliseconds. */
  readonly timeout: number;
}

/** Takes over. Errors: PrmigError, as startDestination has them. */
export async function runRecv(input: RecvInput, context: CommandContext): Promise<void> {
  const incoming = await acceptOffer({ ...input, tls: tlsFiles(input) }, CLOCK, context);
  const open = new OpenLuns(context);
  try {
    if (input.dryRun) await check(incoming.stream, input, open, context);
    else await takeOver(incoming, input, open, context);
  } finally {
    await incoming.close();
    open.close();
  }
}

async function takeOver(
  { stream, link, stdoutIsStream }: Incoming,
  { devices, timeout: timeoutMs }: RecvInput,
  open: OpenLuns,
  context: CommandContext,
): Promise<void> {
  const { handOver } = stream.hello;
  await refuseReplayed(journalDirectory(context.env("PRMIG_STATE_DIR")), handOver);
  const { ports, journal } = await openPorts(context, link, handOver, "destination");
  const told = rehearsing(ports);
  try {
    const { ending, legs } = await startDestination(stream, told.ports, { timeoutMs, find: finder(open, devices) });
    const printer = stdoutIsStream ? context.err : context.out;
    if (context.json) printer.json(resultJson(handOver, "destination", legs, ending));
    else for (const line of resultText(legs, ending)) printer.line(line);
  } finally {
    told.over();
    journal.release();
  }
}

/** A source that does not commit at once waits for a guest: time to rehearse. */
const IDLE_MS = 200;

/** Rehearses once, when the destination is prepared and has nothing to do; `over` when the hand-over has ended. */
function rehearsing(ports: Ports): { ports: Ports; over: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const told = (error: unknown): void => ports.report({ phase: "rehearsal", text: String(error) });
  const report: Ports["report"] = (progress) => {
    ports.report(progress);
    clearTimeout(timer);
    if (progress.phase === "prepared") timer = setTimeout(() => void rehearse().catch(told), IDLE_MS);
  };
  return { ports: { ...ports, report }, over: () => clearTimeout(timer) };
}

/** Everything recv would check, with devices opened read-only in effect: no PR OUT is sent. */
async function check(
  { hello, offers }: OfferStream,
  { devices }: RecvInput,
  open: OpenLuns,
  context: CommandContext,
): Promise<void> {
  const legs = await findLegs(offers, finder(open, devices));
  const pictures = await lookAtAll({ legs } as Pick<Run, "legs"> as Run);
  try {
    legs.forEach((leg, i) => refuseUnlessPossible(leg, pictures[i]!));
  } catch (error) {
    if (!(error instanceof TurnBack)) throw error;
    throw new PrmigError("refused", {
      message: `Would refuse the hand-over: ${error.message}`,
      lun: pictures.map(truthOf).join(" | "),
      remedy: "remove the cause, then send again",
    }, { cause: error });
  }
  for (const [i, { lun }] of legs.entries()) {
    const said = { device: lun.device, designator: lun.designator, handOver: hello.handOver, acceptable: true };
    if (context.json) context.out.json(said);
    else context.out.line(`would take over ${lun.device}, ${lun.designator}: ${truthOf(pictures[i]!)}`);
  }
}
