/**
 * `prmig send`: offers the LUNs and hands them over, by one of three ways to the other side.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { startSource } from "../../migrate/start.ts";
import type { CommandContext } from "../context.ts";
import { OpenLuns } from "../hand_over/luns.ts";
import { resultJson, resultText } from "../hand_over/result.ts";
import { CLOCK, openPorts } from "../hand_over/world.ts";
import { type Channel, openChannel } from "../hand_over/channel.ts";
import { tlsFiles } from "../hand_over/tls.ts";
import { snoopedKey } from "./snooped.ts";

/** What the command line asks for. */
export interface SendInput {
  readonly devices: readonly string[];
  /** The guest's key, where the host cannot find it; otherwise what `prmig snoop` knows of it. */
  readonly key: bigint | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsCa: string | undefined;
  readonly method: "token" | "plain";
  /** Bounds every wait, in milliseconds. */
  readonly timeout: number;
  /** Command to run for the other side, its stdin and stdout being the stream. */
  readonly to: string | undefined;
  /** Address of a listening recv. */
  readonly connect: string | undefined;
}

/** Hands over. Errors: PrmigError, as startSource has them. */
export async function runSend(input: SendInput, context: CommandContext): Promise<void> {
  const { devices, timeout: timeoutMs, to, connect } = input;
  if (to !== undefined && connect !== undefined) throw usage("--to and --connect are two ways to one end; give one");
  const oneWay = to === undefined && connect === undefined;
  if (oneWay && context.out.isTerminal) throw usage("the stream would go to the terminal; pipe it into prmig recv");
  const open = new OpenLuns(context);
  let channel: Channel | undefined;
  try {
    for (const address of devices) await open.open(address);
    const key = input.key ?? await snoopedKey(open.luns, context);
    channel = await openChannel({ to, connect, tls: tlsFiles(input) }, CLOCK, context);
    const handOver = crypto.randomUUID();
    const { ports, journal } = await openPorts(context, channel.link, handOver, "source");
    try {
      const { ending, legs } = await startSource(open.luns, ports, {
        handOver,
        timeoutMs,
        method: input.method,
        writeOffer: channel.writeOffer,
        ...key !== undefined && { key },
      });
      const printer = oneWay ? context.err : context.out;
      if (context.json) printer.json(resultJson(handOver, "source", legs, ending));
      else for (const line of resultText(legs, ending)) printer.line(line);
    } finally {
      journal.release();
    }
  } finally {
    await channel?.close();
    open.close();
  }
}

function usage(message: string): PrmigError {
  return new PrmigError("usage", { message, lun: "not touched", remedy: "prmig send --help" });
}
