/**
 * send and recv in one process, with a pipe of bytes between them, as the shell would put it there.
 *
 * @module
 */
import { startDestination, startSource } from "../../migrate/start.ts";
import { lunLink } from "../../migrate/links.ts";
import type { Ports } from "../../migrate/ports.ts";
import { OfferReader } from "../../migrate/stream.ts";
import { cryptoRandom } from "../../migrate/tokens.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { CLOCK } from "../hand_over/world.ts";
import type { HostName, Stage } from "./stage.ts";

/** How the source's side ended: without an error, it has seen on the LUN that the destination holds. */
export interface DemoEnding {
  readonly error?: unknown;
}

/** Hands over between two hosts. A destination that never answers is left behind. */
export async function handOver(
  stage: Stage,
  from: HostName,
  source: Nexus,
  to: HostName,
  destination: Nexus,
  timeoutMs: number,
): Promise<DemoEnding> {
  const sent = Promise.withResolvers<Uint8Array>();
  const handOver = crypto.randomUUID();
  const received = sent.promise.then(async (bytes) => {
    const reader = new OfferReader();
    for (const line of new TextDecoder().decode(bytes).trimEnd().split("\n")) await reader.take(line);
    const lun = await stage.lun(to, destination);
    return await startDestination(reader.whole!, ports(), { timeoutMs, find: () => Promise.resolve(lun) });
  });
  const writeOffer = (bytes: Uint8Array): Promise<void> => Promise.resolve(sent.resolve(bytes));
  try {
    const lun = await stage.lun(from, source);
    await startSource([lun], ports(), { handOver, timeoutMs, writeOffer });
    await received; // the destination may settle a moment after the source has seen it hold
    return {};
  } catch (error) {
    return { error };
  }
}

/** Journals are for hosts that crash; the demo's hosts share this process. */
function ports(): Ports {
  return {
    link: lunLink(CLOCK),
    journal: { write: () => Promise.resolve() },
    clock: CLOCK,
    random: cryptoRandom,
    report: () => undefined,
    interrupted: () => false,
  };
}
